"""What search looks in on SQLite: FTS5 with the trigram tokenizer, kept by triggers, so that no write can miss it.

``search_entry`` numbers titles, questions and ended responses in the order they came; the numbers are FTS5's rowids, by
which the newest are found first. FTS5 keeps no copy of a text: it is told the old one to take it out again.

Words of two characters, which are most words of Chinese and Korean, are found by the trigrams that begin with them:
``search_…_terms`` tell which there are, and a space behind each text gives its last two characters one.

An owner's tag is (mostly) three hex digits, which is one trigram: its posting list lets a search among many users'
texts touch only one's own. Owners may share a tag; the query looks at the owner too.
"""

from __future__ import annotations

TABLES = (
    "CREATE TABLE search_owner (number INTEGER PRIMARY KEY, owner_id VARCHAR(80) NOT NULL UNIQUE)",
    """
    CREATE TABLE search_entry (
        id INTEGER PRIMARY KEY, tag TEXT NOT NULL, kind TEXT NOT NULL, source_id VARCHAR(22) NOT NULL UNIQUE
    )
    """,
    "CREATE INDEX search_entry_tag ON search_entry (tag, kind, id)",
    "CREATE VIRTUAL TABLE search_title USING fts5(tag, text, content='', tokenize='trigram')",
    "CREATE VIRTUAL TABLE search_text USING fts5(tag, text, content='', tokenize='trigram')",
    "CREATE VIRTUAL TABLE search_title_terms USING fts5vocab(search_title, 'instance')",
    "CREATE VIRTUAL TABLE search_text_terms USING fts5vocab(search_text, 'instance')",
)

# For a database that has texts already.
FILL = (
    "INSERT INTO search_owner (owner_id) SELECT id FROM user",
    """
    INSERT INTO search_entry (tag, kind, source_id)
    SELECT printf('%03x', o.number), s.kind, s.id FROM (
        SELECT 'title' AS kind, id, owner_id, created_at AS at, 0 AS step FROM conversation
        UNION ALL
        SELECT 'question', t.id, c.owner_id, t.created_at, 1 FROM turn t JOIN conversation c ON c.id = t.conversation_id
        UNION ALL
        SELECT 'response', p.id, r.owner_id, r.started_at, 1 + p.layer FROM response p JOIN run r ON r.id = p.run_id
        WHERE p.stage <> 'growing' AND p.text <> ''
    ) s JOIN search_owner o ON o.owner_id = s.owner_id ORDER BY s.at, s.step
    """,
    """
    INSERT INTO search_title (rowid, tag, text)
    SELECT e.id, e.tag, c.title || ' ' FROM search_entry e JOIN conversation c ON c.id = e.source_id ORDER BY e.id
    """,
    """
    INSERT INTO search_text (rowid, tag, text)
    SELECT e.id, e.tag, coalesce(t.question, p.text) || ' ' FROM search_entry e
    LEFT JOIN turn t ON t.id = e.source_id LEFT JOIN response p ON p.id = e.source_id
    WHERE e.kind <> 'title' ORDER BY e.id
    """,
)

TRIGGERS = (
    """
    CREATE TRIGGER search_owner_in AFTER INSERT ON user BEGIN
        INSERT INTO search_owner (owner_id) VALUES (NEW.id);
    END
    """,
    """
    CREATE TRIGGER search_owner_out AFTER DELETE ON user BEGIN
        DELETE FROM search_owner WHERE owner_id = OLD.id;
    END
    """,
    """
    CREATE TRIGGER search_title_in AFTER INSERT ON conversation BEGIN
        INSERT INTO search_entry (tag, kind, source_id)
        SELECT printf('%03x', number), 'title', NEW.id FROM search_owner WHERE owner_id = NEW.owner_id;
        INSERT INTO search_title (rowid, tag, text)
        SELECT id, tag, NEW.title || ' ' FROM search_entry WHERE source_id = NEW.id;
    END
    """,
    """
    CREATE TRIGGER search_title_new AFTER UPDATE OF title ON conversation WHEN NEW.title <> OLD.title BEGIN
        INSERT INTO search_title (search_title, rowid, tag, text)
        SELECT 'delete', id, tag, OLD.title || ' ' FROM search_entry WHERE source_id = OLD.id;
        INSERT INTO search_title (rowid, tag, text)
        SELECT id, tag, NEW.title || ' ' FROM search_entry WHERE source_id = NEW.id;
    END
    """,
    """
    CREATE TRIGGER search_title_out AFTER DELETE ON conversation BEGIN
        INSERT INTO search_title (search_title, rowid, tag, text)
        SELECT 'delete', id, tag, OLD.title || ' ' FROM search_entry WHERE source_id = OLD.id;
        DELETE FROM search_entry WHERE source_id = OLD.id;
    END
    """,
    """
    CREATE TRIGGER search_question_in AFTER INSERT ON turn BEGIN
        INSERT INTO search_entry (tag, kind, source_id)
        SELECT tag, 'question', NEW.id FROM search_entry WHERE source_id = NEW.conversation_id;
        INSERT INTO search_text (rowid, tag, text)
        SELECT id, tag, NEW.question || ' ' FROM search_entry WHERE source_id = NEW.id;
    END
    """,
    """
    CREATE TRIGGER search_question_out AFTER DELETE ON turn BEGIN
        INSERT INTO search_text (search_text, rowid, tag, text)
        SELECT 'delete', id, tag, OLD.question || ' ' FROM search_entry WHERE source_id = OLD.id;
        DELETE FROM search_entry WHERE source_id = OLD.id;
    END
    """,
    """
    CREATE TRIGGER search_response_in AFTER INSERT ON response WHEN NEW.stage <> 'growing' AND NEW.text <> '' BEGIN
        INSERT INTO search_entry (tag, kind, source_id)
        SELECT e.tag, 'response', NEW.id FROM run r JOIN search_entry e ON e.source_id = r.turn_id
        WHERE r.id = NEW.run_id;
        INSERT INTO search_text (rowid, tag, text)
        SELECT id, tag, NEW.text || ' ' FROM search_entry WHERE source_id = NEW.id;
    END
    """,
    # A growing text is written every second; it enters once, when it has ended.
    """
    CREATE TRIGGER search_response_new AFTER UPDATE OF stage, text ON response
    WHEN NEW.stage <> 'growing' OR OLD.stage <> 'growing' BEGIN
        INSERT INTO search_text (search_text, rowid, tag, text)
        SELECT 'delete', id, tag, OLD.text || ' ' FROM search_entry WHERE source_id = OLD.id;
        DELETE FROM search_entry WHERE source_id = OLD.id;
        INSERT INTO search_entry (tag, kind, source_id)
        SELECT e.tag, 'response', NEW.id FROM run r JOIN search_entry e ON e.source_id = r.turn_id
        WHERE r.id = NEW.run_id AND NEW.stage <> 'growing' AND NEW.text <> '';
        INSERT INTO search_text (rowid, tag, text)
        SELECT id, tag, NEW.text || ' ' FROM search_entry WHERE source_id = NEW.id;
    END
    """,
    """
    CREATE TRIGGER search_response_out AFTER DELETE ON response BEGIN
        INSERT INTO search_text (search_text, rowid, tag, text)
        SELECT 'delete', id, tag, OLD.text || ' ' FROM search_entry WHERE source_id = OLD.id;
        DELETE FROM search_entry WHERE source_id = OLD.id;
    END
    """,
)
