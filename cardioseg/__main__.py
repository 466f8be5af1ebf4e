"""Run the command line as `python -m cardioseg`."""

from cardioseg.cli.app import main

if __name__ == "__main__":
    main()
