CREATE TABLE `keys` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`role` text NOT NULL,
	`client_id` text,
	`hash` text NOT NULL,
	`expires_at` integer,
	`last_used_at` integer,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `keys_hash` ON `keys` (`hash`);--> statement-breakpoint
CREATE INDEX `keys_by_client` ON `keys` (`client_id`);--> statement-breakpoint
CREATE INDEX `keys_by_expiry` ON `keys` (`expires_at`);--> statement-breakpoint
CREATE TABLE `idempotency_keys` (
	`caller` text NOT NULL,
	`key` text NOT NULL,
	`fingerprint` text NOT NULL,
	`http_status` integer,
	`body` text,
	`at` integer NOT NULL,
	`resource` text,
	PRIMARY KEY(`caller`, `key`)
);
--> statement-breakpoint
CREATE INDEX `idempotency_keys_by_resource` ON `idempotency_keys` (`resource`);--> statement-breakpoint
CREATE INDEX `idempotency_keys_by_time` ON `idempotency_keys` (`at`);--> statement-breakpoint
CREATE TABLE `revocations` (
	`key_id` text PRIMARY KEY NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `subscriptions` (
	`key_id` text NOT NULL,
	`session_id` text NOT NULL,
	PRIMARY KEY(`key_id`, `session_id`)
);
--> statement-breakpoint
CREATE INDEX `subscriptions_by_session` ON `subscriptions` (`session_id`);--> statement-breakpoint
CREATE TABLE `tickets` (
	`hash` text PRIMARY KEY NOT NULL,
	`session_id` text NOT NULL,
	`caller` text NOT NULL,
	`expires_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `tickets_by_expiry` ON `tickets` (`expires_at`);--> statement-breakpoint
CREATE TABLE `feedback_counts` (
	`chatbot_id` text NOT NULL,
	`rating` integer NOT NULL,
	`count` integer NOT NULL,
	PRIMARY KEY(`chatbot_id`, `rating`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `feedback_tags` (
	`tag` text NOT NULL,
	`updated_at` integer NOT NULL,
	`number` integer NOT NULL,
	PRIMARY KEY(`tag`, `updated_at`, `number`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `message_feedback` (
	`number` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`session_id` text NOT NULL,
	`seq` integer NOT NULL,
	`chatbot_id` text NOT NULL,
	`client_id` text NOT NULL,
	`rating` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`tags` text NOT NULL,
	`comment` text,
	`rated` text NOT NULL,
	`content` text NOT NULL,
	`answered_content` text
);
--> statement-breakpoint
CREATE UNIQUE INDEX `message_feedback_by_message` ON `message_feedback` (`session_id`,`seq`);--> statement-breakpoint
CREATE INDEX `message_feedback_newest` ON `message_feedback` (`updated_at`);--> statement-breakpoint
CREATE INDEX `message_feedback_by_rating` ON `message_feedback` (`rating`,`updated_at`);--> statement-breakpoint
CREATE INDEX `message_feedback_by_chatbot` ON `message_feedback` (`chatbot_id`,`updated_at`);--> statement-breakpoint
CREATE INDEX `message_feedback_by_chatbot_and_rating` ON `message_feedback` (`chatbot_id`,`rating`,`updated_at`);--> statement-breakpoint
CREATE INDEX `message_feedback_by_client` ON `message_feedback` (`client_id`,`updated_at`);--> statement-breakpoint
CREATE TABLE `runs` (
	`number` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`object_id` text NOT NULL,
	`name` text NOT NULL,
	`status` text NOT NULL,
	`created_at` integer NOT NULL,
	`endpoints` text NOT NULL,
	`repeat` integer NOT NULL,
	`answers` integer NOT NULL,
	`done` integer NOT NULL,
	`errors` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `runs_id` ON `runs` (`id`);--> statement-breakpoint
CREATE UNIQUE INDEX `runs_object` ON `runs` (`object_id`);--> statement-breakpoint
CREATE TABLE `daily_statistics` (
	`scope` text NOT NULL,
	`id` text NOT NULL,
	`day` integer NOT NULL,
	`sessions` integer DEFAULT 0 NOT NULL,
	`turns` integer DEFAULT 0 NOT NULL,
	`messages` integer DEFAULT 0 NOT NULL,
	`ok` integer DEFAULT 0 NOT NULL,
	`cancelled` integer DEFAULT 0 NOT NULL,
	`input_tokens` integer DEFAULT 0 NOT NULL,
	`output_tokens` integer DEFAULT 0 NOT NULL,
	`cost` real,
	`rated_up` integer DEFAULT 0 NOT NULL,
	`rated_down` integer DEFAULT 0 NOT NULL,
	`takeovers` integer DEFAULT 0 NOT NULL,
	`duration_min` integer,
	`duration_max` integer,
	`first_text_min` integer,
	`first_text_max` integer,
	`errors` text DEFAULT '{}' NOT NULL,
	`durations` text DEFAULT '{}' NOT NULL,
	`first_texts` text DEFAULT '{}' NOT NULL,
	PRIMARY KEY(`scope`, `id`, `day`)
);
--> statement-breakpoint
CREATE TABLE `bookmarks` (
	`name` text PRIMARY KEY NOT NULL,
	`session_id` text,
	`chat_id` text,
	`chat_record_id` integer,
	`note` text,
	`created_at` integer NOT NULL,
	`record` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `chatbots` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`name_folded` text NOT NULL,
	`fold_version` integer DEFAULT 1 NOT NULL,
	`description` text,
	`endpoint_id` text NOT NULL,
	`system_prompt` text,
	`greeting` text,
	`history_limit` integer NOT NULL,
	`context` text,
	`params` text,
	`takeover_timeout_minutes` integer,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`deleted_at` integer
);
--> statement-breakpoint
CREATE INDEX `chatbots_by_endpoint` ON `chatbots` (`endpoint_id`);--> statement-breakpoint
CREATE INDEX `chatbots_by_summary_endpoint` ON `chatbots` ("context" ->> '$.summaryEndpointId') WHERE context IS NOT NULL;--> statement-breakpoint
CREATE INDEX `chatbots_to_refold` ON `chatbots` (`id`) WHERE fold_version < 2 AND length(CAST(name AS BLOB)) > length(name);--> statement-breakpoint
CREATE TABLE `clients` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`name_folded` text NOT NULL,
	`fold_version` integer DEFAULT 1 NOT NULL,
	`email` text,
	`external_id` text,
	`metadata` text,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`deleted_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `clients_external_id` ON `clients` (`external_id`);--> statement-breakpoint
CREATE INDEX `clients_to_refold` ON `clients` (`id`) WHERE fold_version < 2 AND length(CAST(name AS BLOB)) > length(name);--> statement-breakpoint
CREATE TABLE `dead_letters` (
	`session_id` text NOT NULL,
	`seq` integer NOT NULL,
	`error` text NOT NULL,
	`at` integer NOT NULL,
	PRIMARY KEY(`session_id`, `seq`)
);
--> statement-breakpoint
CREATE INDEX `dead_letters_by_time` ON `dead_letters` (`at`);--> statement-breakpoint
CREATE TABLE `endpoints` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`connector_type` text NOT NULL,
	`uri` text NOT NULL,
	`token` text NOT NULL,
	`model` text NOT NULL,
	`max_calls_per_second` integer NOT NULL,
	`max_concurrency` integer NOT NULL,
	`params` text NOT NULL,
	`pinned` text,
	`prices` text,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `messages` (
	`key` integer PRIMARY KEY NOT NULL,
	`chat_id` text,
	`turn_id` text,
	`role` text NOT NULL,
	`created_at` integer NOT NULL,
	`appended_at` integer NOT NULL,
	`author` text,
	`parent_seq` integer,
	`content` text NOT NULL,
	`detail` text
);
--> statement-breakpoint
CREATE TABLE `prompt_templates` (
	`name` text PRIMARY KEY NOT NULL,
	`description` text NOT NULL,
	`template` text NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `session_counts` (
	`chatbot_id` text NOT NULL,
	`status` text NOT NULL,
	`sessions` integer NOT NULL,
	PRIMARY KEY(`chatbot_id`, `status`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `session_uses` (
	`period` integer NOT NULL,
	`session_number` integer NOT NULL,
	PRIMARY KEY(`period`, `session_number`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `sessions` (
	`number` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`kind` text NOT NULL,
	`title` text,
	`title_folded` text,
	`fold_version` integer DEFAULT 1 NOT NULL,
	`description` text,
	`status` text NOT NULL,
	`start_time` integer NOT NULL,
	`end_time` integer,
	`due_at` integer,
	`chatbot_id` text,
	`client_id` text,
	`chats` text NOT NULL,
	`prompt_template` text,
	`context_strategy` text,
	`previous_prompts` integer,
	`system_prompt` text,
	`attack_module` text,
	`metadata` text,
	`feedback` text,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`last_seq` integer NOT NULL,
	`metadata_version` integer NOT NULL,
	`message_count` integer NOT NULL,
	`archive` text,
	`archive_checked_at` integer,
	`handler` text DEFAULT 'bot' NOT NULL,
	`handler_since` integer,
	`handover` text,
	`active_path` text,
	`hidden_turns` text,
	`run_id` text,
	`bridge` text
);
--> statement-breakpoint
CREATE UNIQUE INDEX `sessions_id` ON `sessions` (`id`);--> statement-breakpoint
CREATE INDEX `sessions_newest` ON `sessions` (`created_at`,`number`,`title_folded`) WHERE kind = 'chatbot';--> statement-breakpoint
CREATE INDEX `comparisons_newest` ON `sessions` (`created_at`) WHERE kind = 'comparison' AND run_id IS NULL;--> statement-breakpoint
CREATE INDEX `sessions_by_run` ON `sessions` (`run_id`,`created_at`) WHERE run_id IS NOT NULL;--> statement-breakpoint
CREATE INDEX `sessions_by_status` ON `sessions` (`status`,`created_at`) WHERE kind = 'chatbot';--> statement-breakpoint
CREATE INDEX `sessions_by_chatbot` ON `sessions` (`chatbot_id`,`created_at`) WHERE chatbot_id IS NOT NULL;--> statement-breakpoint
CREATE INDEX `sessions_by_chatbot_and_status` ON `sessions` (`chatbot_id`,`status`,`created_at`) WHERE chatbot_id IS NOT NULL;--> statement-breakpoint
CREATE INDEX `sessions_by_client` ON `sessions` (`client_id`,`created_at`) WHERE client_id IS NOT NULL;--> statement-breakpoint
CREATE INDEX `sessions_by_template` ON `sessions` (`prompt_template`,`status`) WHERE prompt_template IS NOT NULL;--> statement-breakpoint
CREATE INDEX `sessions_due` ON `sessions` (`due_at`) WHERE due_at IS NOT NULL;--> statement-breakpoint
CREATE INDEX `sessions_to_archive` ON `sessions` (`status`,`archive_checked_at`) WHERE archive_checked_at IS NOT NULL;--> statement-breakpoint
CREATE INDEX `sessions_by_handler` ON `sessions` (`handler`,`handler_since`) WHERE handler <> 'bot';--> statement-breakpoint
CREATE INDEX `sessions_to_refold` ON `sessions` (`number`) WHERE fold_version < 2 AND length(CAST(title AS BLOB)) > length(title);--> statement-breakpoint
CREATE TABLE `transliterations` (
	`page` integer PRIMARY KEY NOT NULL,
	`readings` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `turns` (
	`session_id` text NOT NULL,
	`turn_id` text NOT NULL,
	`number` integer NOT NULL,
	`started_at` integer NOT NULL,
	PRIMARY KEY(`session_id`, `turn_id`)
) WITHOUT ROWID;
