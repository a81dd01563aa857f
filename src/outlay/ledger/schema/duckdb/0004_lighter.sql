-- Texts that most calls do not have (prompt, reply, extra, parts) are no longer zstd by decree: an empty column of that
-- kind took five bytes a call, a sixth of all together. What every call has, raw and lines, stays so.
--
-- A column takes the place of another, and only the calls that have such a text are written: to write the whole table
-- anew took thirty times as long, and the file twice the room.
ALTER TABLE calls ADD COLUMN prompt_anew VARCHAR;
UPDATE calls SET prompt_anew = prompt WHERE prompt IS NOT NULL;
ALTER TABLE calls DROP COLUMN prompt;
ALTER TABLE calls RENAME COLUMN prompt_anew TO prompt;

ALTER TABLE calls ADD COLUMN reply_anew VARCHAR;
UPDATE calls SET reply_anew = reply WHERE reply IS NOT NULL;
ALTER TABLE calls DROP COLUMN reply;
ALTER TABLE calls RENAME COLUMN reply_anew TO reply;

ALTER TABLE calls ADD COLUMN extra_anew JSON;
UPDATE calls SET extra_anew = extra WHERE extra IS NOT NULL;
ALTER TABLE calls DROP COLUMN extra;
ALTER TABLE calls RENAME COLUMN extra_anew TO extra;

ALTER TABLE calls ADD COLUMN parts_anew JSON;
UPDATE calls SET parts_anew = parts WHERE parts IS NOT NULL;
ALTER TABLE calls DROP COLUMN parts;
ALTER TABLE calls RENAME COLUMN parts_anew TO parts;
