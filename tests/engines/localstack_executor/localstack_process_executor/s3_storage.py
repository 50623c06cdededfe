"""Keeps S3's objects in the temporary folder of this LocalStack, which is removed with it.

LocalStack's default is one fixed folder: it would stay after a run, and parallel runs would share it.
"""

import tempfile
from pathlib import Path

from localstack.services.plugins import Service, aws_provider


@aws_provider(api="s3", name="own_folder")  # type: ignore[untyped-decorator] # LocalStack has no types
def s3() -> Service:
    # here, so that looking for plugins does not load all of S3's service
    from localstack.services.s3.provider import S3Provider  # noqa: PLC0415
    from localstack.services.s3.storage.ephemeral import EphemeralS3ObjectStore  # noqa: PLC0415

    folder = Path(tempfile.gettempdir()) / "s3"
    return Service.for_provider(S3Provider(EphemeralS3ObjectStore(str(folder))))
