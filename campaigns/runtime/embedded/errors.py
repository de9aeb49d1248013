"""What can go wrong with an embedded server. Every message says what was found and what to do next.

EmbeddedServerError
├── BinaryNotFoundError      no server program on this machine
├── FolderInUseError         another server works in this data folder
├── FolderUnreachableError   the account the server runs as cannot get into the folder
├── ForeignDataError         the data folder was made by another major version
└── ServerStartError         the program was started and did not come up
"""


class EmbeddedServerError(Exception):
    """An embedded server cannot be had; the message is a sentence for the operator."""


class BinaryNotFoundError(EmbeddedServerError):
    """No server program was found on this machine."""


class FolderInUseError(EmbeddedServerError):
    """Another live server works in this data folder."""


class FolderUnreachableError(EmbeddedServerError):
    """The unprivileged account the server has to run as cannot enter the folder."""


class ForeignDataError(EmbeddedServerError):
    """The data folder was made by another major version of the server."""


class ServerStartError(EmbeddedServerError):
    """The program was found and started, and did not answer in time, or ended by itself."""
