"""What providers export of what they bill, in each of their formats, a day of it."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = [
    "ALIBABA",
    "ANALYTICS",
    "ANTHROPIC_COST",
    "ANTHROPIC_USAGE",
    "CSV_FILES",
    "DAY",
    "END",
    "FIREWORKS_COSTS",
    "FIREWORKS_USAGE",
    "OPENAI_COSTS",
    "OPENAI_USAGE",
    "OPENROUTER",
    "START",
    "TOGETHER",
    "UNIX",
]

DAY = {"starting_at": "2026-11-03T00:00:00Z", "ending_at": "2026-11-04T00:00:00Z"}
UNIX = {"object": "bucket", "start_time": 1793664000, "end_time": 1793750400}
START, END = datetime(2026, 11, 3, tzinfo=UTC), datetime(2026, 11, 4, tzinfo=UTC)

ANTHROPIC_USAGE = {
    "data": [
        {
            **DAY,
            "results": [
                {
                    "uncached_input_tokens": 1500,
                    "cache_creation": {"ephemeral_1h_input_tokens": 1000, "ephemeral_5m_input_tokens": 500},
                    "cache_read_input_tokens": 200,
                    "output_tokens": 500,
                    "server_tool_use": {"web_search_requests": 10},
                    "api_key_id": "apikey_01R",
                    "workspace_id": "wrkspc_01J",
                    "model": "claude-haiku-4-5-20251001",
                    "service_tier": "batch",
                    "context_window": "0-200k",
                }
            ],
        }
    ],
    "has_more": False,
    "next_page": None,
}
ANTHROPIC_COST = {
    "data": [
        {
            **DAY,
            "results": [
                {
                    "currency": "USD",
                    "amount": "123.78912",
                    "workspace_id": "wrkspc_01J",
                    "description": "Claude Haiku 4.5 Usage - Input Tokens",
                    "cost_type": "tokens",
                    "context_window": "0-200k",
                    "model": "claude-haiku-4-5-20251001",
                    "service_tier": "standard",
                    "token_type": "cache_creation.ephemeral_1h_input_tokens",
                },
                {"currency": "USD", "amount": "5", "workspace_id": None, "cost_type": "web_search", "model": None},
            ],
        }
    ]
}
ANALYTICS = {
    "data": [
        {
            **DAY,
            "group": {
                "model": "claude-opus-5-5",
                "token_type": "output_tokens",
                "cost_type": "tokens",
                "speed": "fast",
            },
            "cost": {"amount": "7.5", "list_amount": "10", "currency": "USD"},
        }
    ]
}
OPENAI_USAGE = {
    "object": "page",
    "data": [
        {
            **UNIX,
            "results": [
                {
                    "object": "organization.usage.completions.result",
                    "input_tokens": 1000,
                    "input_cached_tokens": 300,
                    "input_audio_tokens": 100,
                    "input_cache_write_tokens": 50,
                    "output_tokens": 80,
                    "output_audio_tokens": 30,
                    "num_model_requests": 5,
                    "project_id": "proj_a",
                    "api_key_id": "key_1",
                    "model": "gpt-5.4-mini-2026-03-17",
                    "batch": True,
                    "service_tier": "default",
                }
            ],
        }
    ],
    "has_more": False,
    "next_page": None,
}
OPENAI_COSTS = {
    "object": "page",
    "data": [
        {
            **UNIX,
            "results": [
                {
                    "object": "organization.costs.result",
                    "amount": {"value": 0.06, "currency": "usd"},
                    "line_item": "gpt-5.4-mini-2026-03-17, cached input",
                    "project_id": "proj_a",
                    "quantity": 0.8,
                    "quantity_unit": "1000_tokens",
                },
                {
                    "object": "organization.costs.result",
                    "amount": {"value": 1.5, "currency": "usd"},
                    "line_item": "Image models",
                    "project_id": "proj_a",
                },
            ],
        }
    ],
    "has_more": False,
    "next_page": None,
}
OPENROUTER = {
    "data": [
        {
            "date": "2026-11-03 00:00:00",
            "model": "qwen/qwen3.5-flash",
            "model_permaslug": "qwen/qwen3.5-flash-02-23",
            "endpoint_id": "550e",
            "provider_name": "Alibaba",
            "usage": 0.015,
            "byok_usage_inference": 0,
            "requests": 5,
            "prompt_tokens": 50,
            "completion_tokens": 125,
            "reasoning_tokens": 25,
        }
    ]
}
FIREWORKS_USAGE = {
    "serverlessCosts": [
        {
            "apiKeyId": "key_9",
            "cachedPromptTokens": "200",
            "completionTokens": "30",
            "costNanoUsd": 0,
            "endTime": "2026-11-04T00:00:00Z",
            "group": {"api_key_id": "key_9", "model_name": "accounts/fireworks/models/qwen3p5-flash"},
            "modelName": "accounts/fireworks/models/qwen3p5-flash",
            "promptTokens": "1200",
            "startTime": "2026-11-03T00:00:00Z",
            "uncachedPromptTokens": "1000",
            "usageType": "TEXT_COMPLETION_INFERENCE_USAGE",
        }
    ],
    "dedicatedCosts": [],
    "trainingCosts": [],
}
FIREWORKS_COSTS = {
    "rows": [
        {
            "dimensions": {
                "startTime": "2026-11-03T00:00:00Z",
                "model": "accounts/fireworks/models/qwen3p5-flash",
            },
            "subtotal": {"currencyCode": "USD", "units": "1", "nanos": 250000000},
        },
        {
            "dimensions": {"startTime": "2026-11-03T00:00:00Z", "model": "unknown_model"},
            "subtotal": {"currencyCode": "USD", "units": "0", "nanos": 5},
        },
    ],
    "subtotal": {"currencyCode": "USD", "units": "1", "nanos": 250000005},
}
TOGETHER = {
    "object": "billing.usage_report",
    "organization_id": "org_1",
    "billing_period": "2026-11",
    "currency": "USD",
    "data": [
        {
            "date": "2026-11-03",
            "start_time": "2026-11-03T00:00:00Z",
            "end_time": "2026-11-04T00:00:00Z",
            "line_items": [
                {
                    "product_name": "Token Based Inference (Per 1M Tokens)",
                    "quantity": "0.0009",
                    "unit_price": "1.20",
                    "cost": "0.00108",
                    "pricing_dimensions": {"token_type": "output", "model": "Qwen/Qwen3.5-Flash"},
                    "attributes": {"api_key_id": "key_1", "project_id": "proj_1"},
                },
                {
                    "product_name": "Serverless Inference - Input Tokens",
                    "quantity": "1000000",
                    "unit_price": "0.0000003",
                    "cost": "0.30",
                    "pricing_dimensions": {"model": "Qwen/Qwen3.5-Flash"},
                    "attributes": {"api_key_id": "key_1", "project_id": "proj_1"},
                },
                {"product_name": "GPU Clusters", "quantity": "2", "unit_price": "2.50", "cost": "5"},
            ],
        }
    ],
    "next_cursor": None,
}
ALIBABA = {
    "Code": "Success",
    "Data": {
        "BillingCycle": "2026-11",
        "Items": [
            {
                "BillingDate": "2026-11-03",
                "InstanceID": "12345;llm-x;qwen-plus;context_0-128k_output_token;app;0",
                "BillingItem": "Output tokens",
                "Usage": "12.5",
                "UsageUnit": "1,000 tokens",
                "PretaxAmount": 0.025,
                "Currency": "CNY",
                "ProductCode": "sfm",
            }
        ],
    },
}
CSV_FILES = {
    "anthropic-usage.csv": (
        "usage_date_utc,model_version,api_key,workspace,usage_type,context_window,usage_input_tokens_no_cache,"
        "usage_input_tokens_cache_write_5m,usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,"
        "usage_output_tokens,web_search_count,inference_geo,speed\n"
        "2026-11-03,claude-haiku-4-5-20251001,prod,Default,message_batch,≤ 200k,10,20,0,30,40,0,not_available,\n"
    ),
    "anthropic-cost.csv": (
        "usage_date_utc,model,workspace,api_key,usage_type,context_window,token_type,cost_usd,list_price_usd,"
        "cost_type,inference_geo,speed,api_key_id,api_key_status\n"
        "2026-11-03,Claude Haiku 4.5,Default,prod,message,≤ 200k,input_cache_write_5m,0.25,0.25,token,"
        "not_available,,apikey_01,active\n"
    ),
    "openai-usage.csv": (
        "start_time,end_time,num_model_requests,model,batch,service_tier,input_tokens,output_tokens,"
        "input_cached_tokens,api_key_id,project_id\n"
        "1793664000,1793750400,1.0,gpt-5.4-mini-2026-03-17,False,default,1000.0,100.0,400.0,key_1,proj_a\n"
        "1793750400,1793836800,,,,,,,,,\n"
    ),
    "openai-costs.csv": (
        "start_time,end_time,start_time_iso,end_time_iso,amount_value,amount_currency,quantity,quantity_unit,"
        "line_item,user_id,api_key_id,project_id,organization_id,project_name,organization_name,user_email,api_source\n"
        "1793664000,1793750400,2026-11-03T00:00:00+00:00,2026-11-04T00:00:00+00:00,0.8958740000000000,usd,"
        '1000,tokens,"gpt-5.4-mini, output_tokens",,key_1,proj_a,org-1,A,Org,,\n'
        "1793750400,1793836800,2026-11-04T00:00:00+00:00,2026-11-05T00:00:00+00:00,,,,,,,,,,,,,\n"
    ),
    "openrouter.csv": (
        "generation_id,created_at,cost_total,cost_web_search,cost_cache,cost_file_processing,byok_usage_inference,"
        "tokens_prompt,tokens_completion,tokens_reasoning,tokens_cached,model_permaslug,provider_name,variant,"
        "cancelled,streamed,api_key_name\n"
        "gen-1,2026-11-03 10:00:00.713,0.01,0,0,0,0,100,20,0,50,qwen/qwen3.5-flash,Alibaba,standard,false,true,prod\n"
        "gen-2,2026-11-03 11:00:00.001,0.02,0,0,0,0,200,30,0,0,qwen/qwen3.5-flash,Alibaba,,false,true,prod\n"
    ),
    "fireworks.csv": (
        "email,start_time,end_time,usage_type,accelerator_type,accelerator_seconds,base_model_name,model_bucket,"
        "parameter_count,prompt_tokens,completion_tokens\n"
        "a@b.c,2026-11-03 17:16:48 UTC,2026-11-03 17:16:48 UTC,TEXT_COMPLETION_USAGE,,,qwen3p5-flash,x,1,7,3\n"
        "a@b.c,2026-11-03 18:16:48 UTC,2026-11-03 18:16:48 UTC,TEXT_COMPLETION_USAGE,,,qwen3p5-flash,x,1,1,2\n"
    ),
    "fireworks-costs.csv": (
        "account_id,date,group_by_dimension,group_by_value,subtotal_usd,currency\n"
        "mine,2026-11-03,model,accounts/mine/models/glm-5p2,8.400000000,USD\n"
    ),
    "alibaba.csv": (
        "账单日期,产品名称,实例 ID（出账粒度）,计费项,用量,用量单位,应付金额,币种\n"
        "2026-11-03,大模型服务平台百炼,12345;llm-x;qwen-plus;cached_input_token;app;0,大模型文本消耗量,3.5,千token,0.1,CNY\n"
    ),
    "focus.csv": (
        "BilledCost,BillingCurrency,ChargeCategory,ChargePeriodStart,ChargePeriodEnd,ConsumedQuantity,ConsumedUnit,"
        "ProviderName,SkuMeter,SkuPriceDetails\n"
        "42.00,USD,Usage,2026-11-03T00:00:00Z,2026-11-04T00:00:00Z,8400000,Tokens,Anthropic,Input Tokens,"
        '"{""x_ModelId"": ""claude-opus-4-6""}"\n'
        "9.99,USD,Tax,2026-11-03T00:00:00Z,2026-11-04T00:00:00Z,,,Anthropic,,\n"
    ),
}
