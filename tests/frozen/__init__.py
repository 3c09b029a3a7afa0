"""Every name that is stored or sent, and golden files of every stored form. Both are frozen.

`python -m tests.frozen` adds new names to names.json; `--write` adds golden files of new forms.
"""
