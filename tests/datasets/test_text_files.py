"""Text files as other programs write them: with a byte-order mark, with other line ends, in UTF-16."""
import codecs
import re

from source.config.class_names import read_class_names
from source.config.yaml_utils import load_config
from source.datasets.annotations import Annotation, read_annotation
from source.datasets.imagenet import read_list
from source.datasets.imagenet_files import read_wnids
from source.datasets.validation_classes import validation_classes
from source.files.plain_json import read_json
from source.scoring.comparison import load_published
from tests.narrow import narrow_config

import pytest
import yaml

NAMES = 'n01440764 tench\nn01443537 goldfish, café\n'


def classes_of(path):
    of = validation_classes(str(path))
    return of('a.JPEG'), of('b.JPEG')


FILES = {  # name: (text, reader, what it holds)
    'list.txt': ('n1/a b.jpg 0\nn2/b 1\n', lambda path: read_list(path, 0, 1), (['n1/a b.jpg', 'n2/b'], [0, 1])),
    'synsets.txt': (NAMES, read_wnids, ['n01440764', 'n01443537']),
    'names.txt': (NAMES, lambda path: read_class_names(path, 2), NAMES.splitlines()),
    'classes.txt': ('a.JPEG n01440764\nb.JPEG 4\n', classes_of, ('n01440764', 4)),
    'classes.csv': ('ImageId,PredictionString\na,n01440764 1 2\nb,n1443537 3\n', classes_of, ('n01440764', 'n1443537')),
    'published.csv': (
        'row,publication,table,method,dataset,score,value,plus_minus,protocol,over,note\na,,,,,,1,,,,b\n',
        lambda path: [(p.row, p.note) for p in load_published(path)], [('a', 'b')]),
    'a.xml': ('<annotation><size><width>9</width>\n<height>8</height></size></annotation>', read_annotation,
              Annotation(9, 8, [])),
    'narrow.yml': (yaml.safe_dump(narrow_config()), lambda path: load_config(path)['seed'], 5),
    'record.json': ('{"a":\n1}\n', read_json, {'a': 1}),
}


@pytest.mark.parametrize('name', FILES)
def test_mark_and_line_ends(tmp_path, name):
    text, read, expected = FILES[name]
    for mark, ends in ((b'', b'\n'), (codecs.BOM_UTF8, b'\r\n')):
        (tmp_path / name).write_bytes(mark + text.encode().replace(b'\n', ends))
        assert read(tmp_path / name) == expected


@pytest.mark.parametrize('name', sorted(set(FILES) - {'record.json', 'published.csv', 'a.xml', 'narrow.yml'}))
def test_utf_16_is_refused_in_one_line(tmp_path, name):
    text, read, _ = FILES[name]
    for encoding in ('utf-16', 'utf-16-be', 'utf-32'):
        (tmp_path / name).write_bytes(text.encode(encoding))
        with pytest.raises(ValueError, match=rf'^{re.escape(str(tmp_path / name))}[^\n]*$'):
            read(tmp_path / name)
