from tests import children

FORKING = '''
import multiprocessing
from source.miscs.one_line_errors import one_line_errors

@one_line_errors
def main():
    with multiprocessing.get_context('fork').Pool(2) as pool:
        print(*pool.map(abs, range(4)))
main()
'''


def test_forked_processes_end_without_a_word():
    """As those of somebody's data set, which a pool ends by SIGTERM."""
    assert children.python('-c', FORKING) == (0, '0 1 2 3\n', '')
