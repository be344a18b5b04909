"""A made-up past: seeded, believable calls for demonstrations and for measuring pages on a full database.

Simulated rows only, of simulated providers: it never mixes with what was really asked.
"""
