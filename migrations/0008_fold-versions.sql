ALTER TABLE `chatbots` ADD `fold_version` integer DEFAULT 1 NOT NULL;--> statement-breakpoint
CREATE INDEX `chatbots_to_refold` ON `chatbots` (`id`) WHERE fold_version < 2 AND length(CAST(name AS BLOB)) > length(name);--> statement-breakpoint
ALTER TABLE `clients` ADD `fold_version` integer DEFAULT 1 NOT NULL;--> statement-breakpoint
CREATE INDEX `clients_to_refold` ON `clients` (`id`) WHERE fold_version < 2 AND length(CAST(name AS BLOB)) > length(name);--> statement-breakpoint
ALTER TABLE `sessions` ADD `fold_version` integer DEFAULT 1 NOT NULL;--> statement-breakpoint
CREATE INDEX `sessions_to_refold` ON `sessions` (`number`) WHERE fold_version < 2 AND length(CAST(title AS BLOB)) > length(title);