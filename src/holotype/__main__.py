"""``python -m holotype`` is the command line."""

from holotype.cli import main

if __name__ == "__main__":
    main()
