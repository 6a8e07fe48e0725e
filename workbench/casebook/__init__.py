"""Opinions and their history, in a relational database apart from the graph: rings over time, overrides.

The graph can be loaded anew without losing any of it. `opening` finds, makes and
upgrades the database; `runs`, `lineages` and `opinions` are what it is asked and told, each
with a connection of `Casebook.reading` or `Casebook.writing`.
"""
