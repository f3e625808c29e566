"""What the console says in other languages: one catalogue each, made from the code by catalogue.py."""
