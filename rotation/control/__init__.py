"""What people and programs may change, one function each: called by the pages, the management API, commands and jobs.

Every function takes `by`, checks what it is given, changes rows in one transaction and leaves an audit event.
"""
