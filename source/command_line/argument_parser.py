"""The parser of all command lines."""
import argparse

from source.command_line.commands_to_copy import called


class ArgumentParser(argparse.ArgumentParser):
    """Shows the command's docstring as it is written; says what is wrong in one line, without the usage."""

    def __init__(self, description=None, **options):
        super().__init__(description=description and called(description),
                         formatter_class=argparse.RawDescriptionHelpFormatter, **options)

    def add_argument(self, *names, **options):
        return super().add_argument(*names, **{**options, 'help': called(options.get('help') or '')})

    def error(self, message):
        self.exit(2, f'{self.prog}: error: {message}\n')
