-- Whose ids are noted?
INSERT INTO noted_parts (part)
SELECT arrayJoin({parts:Array(String)})
