ALTER TABLE `first_answers` RENAME TO `idempotency_keys`;--> statement-breakpoint
ALTER TABLE `parked_messages` RENAME TO `dead_letters`;--> statement-breakpoint
ALTER TABLE `followers` RENAME TO `subscriptions`;--> statement-breakpoint
ALTER TABLE `romanizations` RENAME TO `transliterations`;--> statement-breakpoint
ALTER TABLE `sessions` RENAME COLUMN `amendments` TO `metadata_version`;
