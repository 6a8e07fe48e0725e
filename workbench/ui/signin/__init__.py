"""The door as the browser sees it: plain pages, without Dash, in front of everything else."""
