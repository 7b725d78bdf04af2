"""SQLAlchemy implementation of ``moa.chat.ports``."""
