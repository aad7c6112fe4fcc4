"""Matplotlib's figures, drawn without a display and written as PNG."""
from source.files.atomic import atomic_write


def new_figure(width, height):
    """Return an empty Figure, in inches; its axes are laid out so that nothing overlaps."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # here, as it takes a second to import
    from matplotlib.figure import Figure
    figure = Figure(figsize=(width, height), layout='constrained')
    FigureCanvasAgg(figure)
    return figure


def save_figure(path, figure, dpi=120):
    with atomic_write(path) as file:
        figure.savefig(file, dpi=dpi, format='png')
