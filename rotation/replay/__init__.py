"""The replay laboratory: recorded traffic through the real engine in event time, the present policy beside another.

Pure but for `ledger`, `work` and `regret`, which read and write rows: traffic and evidence come in as values, chance is
a function of the seed. The rules (rotation, selection, order, health with its breakers, cooldowns and quotas) are the
gateway's own objects; nothing here decides who is asked.
"""
