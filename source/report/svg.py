"""Line charts as SVG text: no script, colours by CSS class, readable at a phone's width."""
import html
import math
from dataclasses import dataclass

SIZE, SMALL = (340, 205), (190, 120)  # in pixels about as wide as they are shown, so that text keeps its size
RIGHT, TOP, BOTTOM, GAP = 8, 10, 34, 6  # GAP parts a label from its axis
FONT = 12  # of the labels, as style.css says
EM = {',': .32, '.': .32, 'e': .62, 'k': .58, 'M': .87, '−': .84}  # widths in DejaVu Sans, the widest of usual fonts
DIGIT = .64
N_COLOURS = 6


@dataclass
class Series:
    """`points` [(x, y)], all finite; `colour` is a number below N_COLOURS, `dashed` 0 to 2."""

    label: str
    points: list
    colour: int = 0
    dashed: int = 0


def line_chart(title, series, x_label='iteration', y_from_zero=False, size=SIZE):
    """An SVG element, text, of series without the empty ones; '' where all are empty.

    Its name for readers who don't see it tells each series' first and last value.
    """
    series = [Series(s.label, thinned(s.points, 2 * size[0]), s.colour, s.dashed) for s in series if s.points]
    if not series:
        return ''
    xs, ys = ([p[k] for s in series for p in s.points] for k in (0, 1))
    width, height = size
    bottom = BOTTOM if x_label else BOTTOM - 14
    x_ticks, y_ticks = ticks(min(xs), max(xs)), ticks(min([*ys, 0.] if y_from_zero else ys), max(ys))
    y_labels = labels(y_ticks)
    left = math.ceil(max(map(width_of, y_labels))) + GAP
    x_low, x_high = min(xs), max(max(xs), min(xs) + 1e-9)
    y_low, y_high = min(y_ticks[0], min(ys)), max(y_ticks[-1], max(ys))

    def x_of(x):
        return left + (x - x_low) / (x_high - x_low) * (width - left - RIGHT)

    def y_of(y):
        return height - bottom - (y - y_low) / ((y_high - y_low) or 1) * (height - TOP - bottom)

    parts = [f'<svg class="chart" viewBox="0 0 {width} {height}" role="img" '
             f'aria-label="{html.escape(said(title, series))}">']
    for y, label in zip(y_ticks, y_labels, strict=True):
        parts.append(f'<line class="grid" x1="{left}" x2="{width - RIGHT}" y1="{y_of(y):.1f}" y2="{y_of(y):.1f}"/>'
                     f'<text x="{left - GAP}" y="{y_of(y) + 4:.1f}" text-anchor="end">{label}</text>')
    end = -GAP
    for x, label in zip(x_ticks, labels(x_ticks), strict=True):
        middle = min(x_of(x), width - width_of(label) / 2)  # so that the last one stays inside
        if x_low <= x <= x_high and middle - width_of(label) / 2 >= end + GAP:
            parts.append(f'<text x="{middle:.1f}" y="{height - bottom + 15}" text-anchor="middle">{label}</text>')
            end = middle + width_of(label) / 2
    if x_label:
        parts.append(f'<text x="{width - RIGHT}" y="{height - 3}" text-anchor="end">{html.escape(x_label)}</text>')
    for s in series:
        points = ' '.join(f'{x_of(x):.1f},{y_of(y):.1f}' for x, y in s.points)
        css = f'line s{s.colour % N_COLOURS} d{s.dashed % 3}'
        if len(s.points) > 1:
            parts.append(f'<polyline class="{css}" points="{points}"/>')
        if len(s.points) <= 15:
            parts += [f'<circle class="dot s{s.colour % N_COLOURS}" cx="{x_of(x):.1f}" cy="{y_of(y):.1f}" r="2.6"/>'
                      for x, y in s.points]
    return ''.join([*parts, '</svg>'])


def thinned(points, n):
    """At most 4·n of points [(x, y)] in order of x, drawn n pixels wide as all of them would be.

    Of each pixel's column the first, the lowest, the highest and the last are kept, so that no spike is lost.
    """
    if len(points) <= 4 * n:
        return points
    low, high = points[0][0], points[-1][0]
    columns = {}
    for k, (x, _) in enumerate(points):
        columns.setdefault(min(n - 1, int((x - low) / (high - low) * n)), []).append(k)
    kept = set()
    for inside in columns.values():
        by_height = sorted(inside, key=lambda k: points[k][1])
        kept |= {inside[0], by_height[0], by_height[-1], inside[-1]}
    return [points[k] for k in sorted(kept)]


def said(title, series):
    """The chart in words."""
    texts = []
    for s in series:
        (x0, y0), (x1, y1) = s.points[0], s.points[-1]
        texts.append(f'{s.label} {number(y1)} at {number(x1)}' if len(s.points) == 1 else
                     f'{s.label} from {number(y0)} at {number(x0)} to {number(y1)} at {number(x1)}')
    return f'{title}: {"; ".join(texts)}'


def ticks(low, high, n=4):
    """Round numbers from at most `low` to at least `high`, about n steps of 1, 2 or 5 times a power of ten."""
    if not high - low > 1e-300:
        around = .1 * (abs(low) if abs(low) > 1e-300 else 1)  # what is smaller has no tenth
        low, high = low - around, low + around
    rough = (high - low) / n
    power = 10. ** math.floor(math.log10(rough))
    step = next(m for m in (1, 2, 5, 10) if m * power >= rough * .999) * power
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [float(f'{k * step:.12g}') for k in range(first, last + 1)]


def labels(values):
    """What is written at ticks: each of them in full, in as few digits as that takes."""
    return [number(x, next(d for d in range(3, 18) if float(f'{x:.{d}g}') == x)) for x in values]


def width_of(label):
    """About the most that a label of `number` takes, in pixels, whatever the font."""
    return FONT * sum(EM.get(c, DIGIT) for c in label)


def number(x, digits=3):
    """A number in few characters: rounded to so many digits, but to no less than 1 between 1,000 and 100,000."""
    size = abs(x)
    if x == 0:
        text = '0'
    elif size < 1e-3 or size >= 1e9:
        mantissa, _, power = f'{x:.{digits - 1}e}'.partition('e')
        text = f'{float(mantissa):.{digits}g}e{int(power)}'
    elif size >= 1e6:
        text = f'{x / 1e6:.{max(digits, 4)}g}M'
    elif size >= 1e5:
        text = f'{x / 1000:.{max(digits, 6)}g}k'
    elif size >= 999.5:
        text = f'{x:,.{max(0, digits - 1 - math.floor(math.log10(size)))}f}'
    else:
        text = f'{x:.{digits}g}'
    return text.replace('-', '−')
