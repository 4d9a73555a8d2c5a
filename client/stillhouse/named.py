"""What Stillhouse knows by name, for the help of the commands; tests hold it against the registries of the services."""

EVENTS = (
    "eval.run.succeeded, eval.run.failed, eval.run.canceled, distillation.blocked, distillation.failed, "
    "distillation.verdict, fine_tuning.job.succeeded, fine_tuning.job.failed, fine_tuning.job.cancelled, "
    "fine_tuning.job.waiting_for_model, fine_tuning.job.stalled, model.shutdown_approaching, "
    "model.retirement_approaching, spending.cap_reached, alias.promoted, alias.drifted, rollout.started, "
    "rollout.advanced, rollout.paused, rollout.rolled_back, rollout.promoted, stack.alarm"
)
TRAINERS = "default, file, bedrock, sagemaker, azure, nebius, together, fireworks"
FORMATS = (
    "openai-chat, openai-dpo, bedrock-conversation-2024, sagemaker-chat, sagemaker-preference, sagemaker-dpo, "
    "together-chat, together-preference, fireworks-chat, fireworks-dpo, nebius-chat, trl-messages, trl-preference"
)
