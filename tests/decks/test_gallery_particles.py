#!/usr/bin/env python3
"""The decks of inputs/particles, as test_gallery.py does the others."""
import sys
import test_gallery

if __name__ == "__main__":
    sys.exit(test_gallery.main(lambda folder: folder == "particles"))
