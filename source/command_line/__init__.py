"""What the commands of evaluations/ share: their arguments, what these name, and the records they write."""
