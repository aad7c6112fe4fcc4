"""The paper's experiments as data, what runs them cell by cell, and what draws and tabulates their results.

catalogue.py says which cells an experiment needs, cell.py makes configs of them, run_cell.py trains one, sweep.py all
of them; records.py is what they leave, and table.py and figures/ are what is made of that.
"""
