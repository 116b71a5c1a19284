-- A session's object may run on earlier code for some minutes after a deployment, and write the text that this folds. The
-- row is then to be folded again.
CREATE TRIGGER `session_folded_by_earlier_code` AFTER UPDATE OF `title_folded` ON `sessions` WHEN new.`title` IS old.`title` AND new.`title_folded` IS NOT old.`title_folded` AND new.`fold_version` = old.`fold_version` BEGIN UPDATE `sessions` SET `fold_version` = 1 WHERE `number` = new.`number`; END;
