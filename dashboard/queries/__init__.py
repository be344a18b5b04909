"""What the pages read: one module per noun, each function one query (or as many as its docstring says).

Charts read roll-ups only; raw rows are read by primary key order, a page at a time.
"""
