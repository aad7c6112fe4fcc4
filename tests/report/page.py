"""A page as a parser sees it."""
from html.parser import HTMLParser

VOID = {'meta', 'img', 'input', 'link', 'br', 'col', 'wbr'}


class Page(HTMLParser):
    """`tags` [(name, attributes)], and `text`; fails where elements are not closed as they were opened."""

    def __init__(self, html):
        super().__init__()
        self.html, self.tags, self.open, self.text = html, [], [], ''
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert tag in VOID or self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ('style', 'script'):
            self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]
