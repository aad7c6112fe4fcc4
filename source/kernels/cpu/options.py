"""How the fused passes over whole arrays are compiled."""

# Of fast math nothing that changes results: sums keep their order, and products are not contracted, as LLVM contracts
# a·b + c·d on one side or the other, in the code just compiled and in that loaded from the cache not alike.
EXACT = {'cache': True, 'parallel': True, 'fastmath': {'nnan', 'nsz'}, 'error_model': 'numpy'}
