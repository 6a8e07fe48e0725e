"""`python -m workbench …` is `ringroad …`."""

from workbench.cli import main

main()
