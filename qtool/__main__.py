"""``python -m qtool``."""

from qtool.cli import main

raise SystemExit(main())
