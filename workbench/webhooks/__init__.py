"""Telling other systems: who wants to know (`hooks`), what is told (`events`), how it gets there (`deliver`).

`addresses` is the only way out: no request leaves for an address that was not checked.
"""
