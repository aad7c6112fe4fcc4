"""The parser of all command lines, and what they say of an error."""
import argparse


class ArgumentParser(argparse.ArgumentParser):
    """Shows the command's docstring as it is written; says what is wrong in one line, without the usage."""

    def __init__(self, **options):
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, **options)

    def error(self, message):
        self.exit(2, f'{self.prog}: error: {message}\n')


def one_line(error):
    """What a ValueError or OSError says; of the latter the file first, without the number."""
    named = isinstance(error, OSError) and error.filename is not None and error.strerror
    return f'{error.filename}: {error.strerror}' if named else str(error)
