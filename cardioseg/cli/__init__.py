"""Commands: parse, call, print. The only part of the package that talks to the terminal."""
