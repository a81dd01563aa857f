"""What the keys of litellm's price map mean: units, tariffs, what is left out and why, names of homes."""

from decimal import Decimal

MILLION, THOUSAND = Decimal(1_000_000), Decimal(1_000)
ROOTS = {
    "input_cost_per_token": ("input", MILLION),
    "output_cost_per_token": ("output", MILLION),
    "output_cost_per_reasoning_token": ("reasoning", MILLION),
    "cache_read_input_token_cost": ("cache_read", MILLION),
    "input_cost_per_token_cache_hit": ("cache_read", MILLION),
    "cache_read_input_audio_token_cost": ("cache_read_audio", MILLION),
    "cache_read_input_image_token_cost": ("cache_read_image", MILLION),
    "cache_creation_input_token_cost": ("cache_write", MILLION),
    "cache_creation_input_token_cost_above_1hr": ("cache_write_1h", MILLION),
    "cache_creation_input_token_cost_above_12hr": ("cache_write_12h", MILLION),
    "cache_creation_input_audio_token_cost": ("cache_write_audio", MILLION),
    "input_cost_per_audio_token": ("input_audio", MILLION),
    "output_cost_per_audio_token": ("output_audio", MILLION),
    "input_cost_per_image_token": ("input_image", MILLION),
    "output_cost_per_image_token": ("output_image", MILLION),
    "input_cost_per_video_token": ("input_video", MILLION),
    "output_cost_per_video_token": ("output_video", MILLION),
    "citation_cost_per_token": ("citation_tokens", MILLION),
    "input_cost_per_character": ("characters", MILLION),
    "input_cost_per_request": ("requests", THOUSAND),
    "input_cost_per_text_message": ("text_messages", THOUSAND),
    "ocr_cost_per_page": ("pages", THOUSAND),
    "annotation_cost_per_page": ("annotated_pages", THOUSAND),
    "google_maps_grounding_cost_per_query": ("maps_search", THOUSAND),
    "code_interpreter_cost_per_session": ("code_interpreter", Decimal(1)),
    "output_cost_per_image": ("images", Decimal(1)),
    "input_cost_per_image": ("input_images", Decimal(1)),
    "input_cost_per_audio_per_second": ("input_audio_seconds", Decimal(1)),
    "input_cost_per_video_per_second": ("input_video_seconds", Decimal(1)),
    "output_cost_per_video_per_second": ("video_seconds", Decimal(1)),
}
# Kept out on purpose; each is known, so that a key which is in neither list is reported as new.
LEFT_OUT = {
    "output_cost_per_character": "the characters of an answer are in no usage",
    "input_cost_per_pixel": "pixels are in no usage",
    "output_cost_per_pixel": "pixels are in no usage",
    "ocr_cost_per_credit": "credits are in no usage",
    "input_dbu_cost_per_token": "the same price in Databricks units",
    "output_dbu_cost_per_token": "the same price in Databricks units",
    "guardrail_cost_per_unit": "a price per policy, not per model",
    "explicit_cache_read_input_token_cost": "Alibaba's second kind of cache, which no usage tells apart",
    "cost_per_second": "rented hardware by the second",
    "file_search_cost_per_1k_calls": "in the sample entry only",
    "file_search_cost_per_gb_per_day": "in the sample entry only",
    "vector_store_cost_per_gb_per_day": "in the sample entry only",
    "computer_use_input_cost_per_1k_tokens": "in the sample entry only",
    "computer_use_output_cost_per_1k_tokens": "in the sample entry only",
    "input_cost_per_video_per_second_above_8s_interval": "intervals are in no usage",
    "input_cost_per_video_per_second_above_15s_interval": "intervals are in no usage",
}
# Figures of the map that cannot be, with why; each is left out until the map has another one there.
FAULTS = {
    ("gemini-2.5-flash", "input_cost_per_audio_token_above_200k_tokens", "3e-07"):
        "the rate of text: batch and flex (0.50) are half, and priority 1.8 times, of the 1.00 below 200k",
}  # fmt: skip
LEAST = Decimal(
    "1e-9"
)  # no token costs so little; fireworks' image models have a price a step of drawing there
TARIFFS = {
    "batches": {"batch": "true"},
    **{t: {"service_tier": t} for t in ("priority", "flex", "ultrafast", "balanced", "decisions")},
}
HOMES = {
    "gemini": "google", "text-completion-openai": "openai", "azure_text": "azure", "azure_ai": "azure",
    "bedrock_converse": "bedrock", "bedrock_mantle": "bedrock", "cohere_chat": "cohere",
    "fireworks_ai-embedding-models": "fireworks", "text-completion-codestral": "mistral",
    "codestral": "mistral", "meta_llama": "meta",
}  # fmt: skip
# Their zeros mean "included in a subscription", and must never answer for a price.
SUBSCRIPTIONS = {"github_copilot", "chatgpt", "microsoft_365_copilot"}
SPECIAL = {
    "tiered_pricing", "off_peak_pricing", "search_context_cost_per_query",
    "regional_endpoint_uplift_multiplier",
    "regional_processing_uplift_multiplier_eu", "regional_processing_uplift_multiplier_us",
    "fedramp_uplift_multiplier",
    "input_cost_per_query",
    "input_cost_per_second", "output_cost_per_second",
}  # fmt: skip
