-- Which day was counted, and when did that begin?
INSERT INTO counted_days (day, counted_at)
SELECT {day:Date}, {now:DateTime64(6, 'UTC')}
