import functools
import sys
from pathlib import Path


def one_line_errors(main, interrupted='interrupted'):
    """Turns what is wrong with a user's input into one line and exit status 2; Ctrl-C into `interrupted` and 130."""
    @functools.wraps(main)
    def wrapped():
        try:
            main()
        except (ValueError, OSError) as error:
            print(f'{Path(sys.argv[0]).name}: error: {error}', file=sys.stderr)
            sys.exit(2)
        except KeyboardInterrupt:
            print(interrupted, file=sys.stderr)
            sys.exit(130)
    return wrapped
