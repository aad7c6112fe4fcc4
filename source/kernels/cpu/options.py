"""How the fused passes over whole arrays are compiled."""

# Of fast math nothing that reorders sums, so that equal inputs give equal bits.
OPTIONS = {'cache': True, 'parallel': True, 'fastmath': {'nnan', 'nsz', 'contract'}, 'error_model': 'numpy'}
