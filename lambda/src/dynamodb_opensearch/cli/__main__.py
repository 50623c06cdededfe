"""Entry point of the command. Worker processes import this module too, so it imports nothing until it is called."""

import sys


def main() -> None:
    """Run the command line ``sys.argv``."""
    try:
        from dynamodb_opensearch.cli.app import app  # noqa: PLC0415 (see above)
        from dynamodb_opensearch.cli.output import run  # noqa: PLC0415
    except KeyboardInterrupt:
        sys.exit(130)
    run(app)


if __name__ == "__main__":
    main()
