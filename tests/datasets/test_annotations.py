"""Annotations that are made to harm, or are none; whole ones are in test_prepare_imagenet_classes.py."""
from source.datasets import annotations
from source.datasets.annotations import read_annotation

import pytest

WHOLE = """<annotation><size><width>9</width><height>8</height></size><object><name>n00000001</name><bndbox>
<xmin>1</xmin>
<ymin>2</ymin><xmax>5</xmax><ymax>6.5</ymax></bndbox></object></annotation>"""


@pytest.mark.parametrize('text, reason', [
    # Nine entities, each ten times the one before, would be 10^9 letters.
    ('<!DOCTYPE a [<!ENTITY b "n00000002">]>' + WHOLE.replace('n00000001', '&b;'), 'a document type'),
    ('<!DOCTYPE annotation SYSTEM "a.dtd">' + WHOLE, 'a document type'), (WHOLE + ' ' * 1000, '1188 bytes'),
    (WHOLE.replace('>5<', '>nan<'), 'a box that is nowhere'), (WHOLE.replace('>5<', '><'), 'no bndbox/xmax'),
    (WHOLE.replace('>9<', '>9.5<'), 'invalid literal'), (WHOLE.replace('<name>', '<other>'), 'mismatched tag')])
def test_refused(tmp_path, monkeypatch, text, reason):
    monkeypatch.setattr(annotations, 'MOST_BYTES', 1000)
    (tmp_path / 'a.xml').write_text(text)
    with pytest.raises(ValueError) as error:
        read_annotation(tmp_path / 'a.xml')
    message = str(error.value)
    assert message.startswith(f'{tmp_path}/a.xml: expected an annotation in XML') and '\n' not in message
    assert reason in message
