-- How far are spans of others decided?
INSERT INTO foreign_decided (until)
SELECT {until:DateTime64(6, 'UTC')}
