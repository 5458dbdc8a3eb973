"""``python -m fledgling`` is the command line."""

from fledgling.cli import main

if __name__ == "__main__":
    main()
