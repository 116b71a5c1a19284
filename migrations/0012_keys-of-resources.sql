ALTER TABLE `idempotency_keys` ADD `resource` text;--> statement-breakpoint
CREATE INDEX `idempotency_keys_by_resource` ON `idempotency_keys` (`resource`);--> statement-breakpoint
CREATE INDEX `keys_by_expiry` ON `keys` (`expires_at`);