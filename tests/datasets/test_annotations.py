"""Annotations that are made to harm, or are none."""
from source.datasets import annotations
from source.datasets.annotations import Box, read_annotation

import pytest

WHOLE = """<annotation><size><width>9</width><height>8</height></size><object><name>n00000001</name><bndbox>
<xmin>1</xmin>
<ymin>2</ymin><xmax>5</xmax><ymax>6.5</ymax></bndbox></object></annotation>"""


def refused(path):
    with pytest.raises(ValueError) as error:
        read_annotation(str(path))
    message = str(error.value)
    assert message.startswith(f'{path}: expected an annotation in XML') and '\n' not in message
    return message


def test_whole(tmp_path):
    (tmp_path / 'a.xml').write_text(WHOLE)
    found = read_annotation(str(tmp_path / 'a.xml'))
    assert (found.width, found.height, found.boxes) == (9, 8, [Box('n00000001', 1., 2., 5., 6.5)])


@pytest.mark.parametrize('start', ['<!DOCTYPE a [<!ENTITY b "n00000002">]>', '<!DOCTYPE annotation SYSTEM "a.dtd">'])
def test_document_types_are_refused(tmp_path, start):
    """Nine entities, each ten times the one before, would be 10^9 letters."""
    (tmp_path / 'a.xml').write_text(start + WHOLE.replace('n00000001', '&b;' if 'ENTITY' in start else 'n00000001'))
    assert 'a document type' in refused(tmp_path / 'a.xml')


def test_a_file_too_long_is_not_read(tmp_path, monkeypatch):
    (tmp_path / 'a.xml').write_text(WHOLE + ' ' * 1000)
    read_annotation(str(tmp_path / 'a.xml'))
    monkeypatch.setattr(annotations, 'MOST_BYTES', 1000)
    assert f'{len(WHOLE) + 1000} bytes' in refused(tmp_path / 'a.xml')


@pytest.mark.parametrize('old, new', [('>5<', '>nan<'), ('>5<', '><'), ('>9<', '>9.5<'), ('<name>', '<other>')])
def test_what_is_missing_or_no_number(tmp_path, old, new):
    (tmp_path / 'a.xml').write_text(WHOLE.replace(old, new))
    refused(tmp_path / 'a.xml')
