"""The architectures that zoo.py compares, with weights as if they were trained."""
import copy

IMAGE = (1, 3, 224, 224)
SMALL_TEXT = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 1000}


def torchvision_models():
    import torchvision
    names = ["alexnet", "vgg11", "resnet18", "resnet50", "squeezenet1_0", "densenet121", "googlenet", "inception_v3", "shufflenet_v2_x0_5",
             "mobilenet_v2", "mobilenet_v3_small", "efficientnet_b0", "mnasnet0_5", "regnet_y_400mf", "convnext_tiny", "vit_b_16", "swin_t", "swin_v2_t",
             "maxvit_t", "r3d_18", "s3d", "mvit_v2_s"]
    shapes = {"inception_v3": (1, 3, 299, 299), "r3d_18": (1, 3, 8, 112, 112), "s3d": (1, 3, 16, 224, 224), "mvit_v2_s": (1, 3, 16, 224, 224)}
    for name in names:
        shape = shapes.get(name, IMAGE)
        extra = {"aux_logits": False} if name == "googlenet" else {}
        yield f"torchvision/{name}", lambda name=name, extra=extra: torchvision.models.get_model(name, weights=None, **extra), shape
    yield "torchvision/deeplabv3_mobilenet_v3_large", lambda: torchvision.models.segmentation.deeplabv3_mobilenet_v3_large(
        weights=None, weights_backbone=None), IMAGE


def timm_models():
    import timm
    sizes = {"mobilevit_xxs": 256, "crossvit_tiny_240": 240, "halonet26t": 256, "fastvit_t8": 256, "vit_small_patch16_dinov3": 256, "test_vit": 160}
    for name in ("deit_tiny_patch16_224", "mixer_s32_224", "convmixer_768_32", "poolformer_s12", "ghostnet_100", "repvgg_a0", "resmlp_12_224",
                 "gmlp_s16_224", "levit_128s", "mobilevit_xxs", "edgenext_xx_small", "cait_xxs24_224", "pit_ti_224", "rexnet_100", "hrnet_w18_small",
                 "volo_d1_224", "tnt_s_patch16_224", "crossvit_tiny_240", "halonet26t", "nextvit_small", "efficientvit_b0", "fastvit_t8",
                 "mobilenetv4_conv_small", "vit_small_patch16_dinov3", "sequencer2d_s", "test_vit", "nfnet_l0"):
        yield f"timm/{name}", lambda name=name: timm.create_model(name, pretrained=False), (1, 3, *[sizes.get(name, 224)] * 2)


def transformers_models():
    import transformers

    def make(config, cls, **options):
        return lambda: getattr(transformers, cls)(getattr(transformers, config)(**options))
    heads = {"num_key_value_heads": 2}
    experts = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32}
    text = [("bert", "BertConfig", "BertModel", SMALL_TEXT), ("roberta", "RobertaConfig", "RobertaModel", SMALL_TEXT),
            ("albert", "AlbertConfig", "AlbertModel", {**SMALL_TEXT, "embedding_size": 32}),
            ("electra", "ElectraConfig", "ElectraModel", {**SMALL_TEXT, "embedding_size": 32}),
            ("distilbert", "DistilBertConfig", "DistilBertModel", {"dim": 64, "hidden_dim": 128, "n_layers": 2, "n_heads": 4, "vocab_size": 1000}),
            ("gpt2", "GPT2Config", "GPT2LMHeadModel", {"n_embd": 64, "n_layer": 2, "n_head": 4, "vocab_size": 1000}),
            ("llama", "LlamaConfig", "LlamaForCausalLM", {**SMALL_TEXT, **heads}), ("qwen2", "Qwen2Config", "Qwen2ForCausalLM", {**SMALL_TEXT, **heads}),
            ("gpt_neox", "GPTNeoXConfig", "GPTNeoXForCausalLM", SMALL_TEXT), ("phi", "PhiConfig", "PhiForCausalLM", {**SMALL_TEXT, **heads}),
            ("opt", "OPTConfig", "OPTForCausalLM", {"hidden_size": 64, "ffn_dim": 128, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 1000,
                                                     "word_embed_proj_dim": 64}),
            ("mamba", "MambaConfig", "MambaForCausalLM", {"hidden_size": 64, "num_hidden_layers": 2, "vocab_size": 1000, "state_size": 8}),
            ("mamba2", "Mamba2Config", "Mamba2ForCausalLM", {"hidden_size": 64, "num_hidden_layers": 2, "vocab_size": 1000, "state_size": 8, "num_heads": 8,
                                                             "head_dim": 16, "n_groups": 1, "chunk_size": 16}),
            ("jamba", "JambaConfig", "JambaForCausalLM", {**SMALL_TEXT, **heads, "num_experts": 2, "mamba_d_state": 8, "use_mamba_kernels": False,
                                                          "attn_layer_period": 2, "attn_layer_offset": 1, "expert_layer_period": 2, "expert_layer_offset": 1}),
            ("rwkv", "RwkvConfig", "RwkvForCausalLM", {"hidden_size": 64, "attention_hidden_size": 64, "num_hidden_layers": 2, "vocab_size": 1000}),
            ("mixtral", "MixtralConfig", "MixtralForCausalLM", {**SMALL_TEXT, **heads, "num_local_experts": 4}),
            ("qwen3_moe", "Qwen3MoeConfig", "Qwen3MoeForCausalLM", {**SMALL_TEXT, **heads, "head_dim": 16, **experts}),
            ("gpt_oss", "GptOssConfig", "GptOssForCausalLM", {**SMALL_TEXT, **heads, "head_dim": 16, "num_local_experts": 4, "num_experts_per_tok": 2}),
            ("deepseek_v3", "DeepseekV3Config", "DeepseekV3ForCausalLM",
             {**SMALL_TEXT, "q_lora_rank": 32, "kv_lora_rank": 16, "qk_rope_head_dim": 8, "qk_nope_head_dim": 8, "v_head_dim": 16, "n_routed_experts": 4,
              "num_experts_per_tok": 2, "n_group": 2, "topk_group": 1, "moe_intermediate_size": 32, "first_k_dense_replace": 1}),
            ("gemma3", "Gemma3TextConfig", "Gemma3ForCausalLM", {**SMALL_TEXT, **heads, "head_dim": 16}),
            ("falcon", "FalconConfig", "FalconForCausalLM", {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 1000}),
            ("modernbert", "ModernBertConfig", "ModernBertModel", {**SMALL_TEXT, "pad_token_id": 0}), ("deberta_v2", "DebertaV2Config", "DebertaV2Model", SMALL_TEXT),
            ("t5", "T5Config", "T5EncoderModel", {"d_model": 64, "d_kv": 16, "d_ff": 128, "num_layers": 2, "num_heads": 4, "vocab_size": 1000}),
            ("bart", "BartConfig", "BartModel", {"d_model": 64, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4, "encoder_ffn_dim": 128,
                                                 "decoder_attention_heads": 4, "decoder_ffn_dim": 128, "vocab_size": 1000})]
    text += [("mistral", "MistralConfig", "MistralForCausalLM", {**SMALL_TEXT, **heads}), ("convbert", "ConvBertConfig", "ConvBertModel",
                                                                                            {**SMALL_TEXT, "embedding_size": 64}),
             ("gemma3n", "Gemma3nTextConfig", "Gemma3nForCausalLM",
              {**SMALL_TEXT, **heads, "head_dim": 16, "vocab_size_per_layer_input": 1000, "hidden_size_per_layer_input": 16, "altup_num_inputs": 2,
               "laurel_rank": 8, "num_kv_shared_layers": 0, "layer_types": ["sliding_attention", "full_attention"],
               "activation_sparsity_pattern": [0.5, 0.0]})]
    text += [("bamba", "BambaConfig", "BambaForCausalLM",
              {**SMALL_TEXT, **heads, "mamba_n_heads": 8, "mamba_d_head": 16, "mamba_n_groups": 1, "mamba_d_state": 16, "mamba_chunk_size": 16,
               "attn_layer_indices": [1]})]
    for name, config, cls, options in text:
        yield f"transformers/{name}", make(config, cls, **options), "tokens"
    layers = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
    stages = {"embed_dim": 24, "depths": [1, 2, 1, 1], "num_heads": [1, 2, 4, 8]}
    sound = {**layers, "conv_dim": [32] * 7, "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 4}
    others = [("swin", "SwinConfig", "SwinModel", stages, IMAGE), ("swinv2", "Swinv2Config", "Swinv2Model", stages, IMAGE),
              ("dinov3", "DINOv3ViTConfig", "DINOv3ViTModel", layers, IMAGE),
              ("beit", "BeitConfig", "BeitModel", {**layers, "use_relative_position_bias": True}, IMAGE),
              ("sam_vision", "SamVisionConfig", "SamVisionModel",
               {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "mlp_dim": 128, "output_channels": 32, "image_size": 224,
                "global_attn_indexes": [1], "window_size": 7}, IMAGE),
              ("wav2vec2", "Wav2Vec2Config", "Wav2Vec2Model", sound, (1, 6400)),
              ("wav2vec2_conformer", "Wav2Vec2ConformerConfig", "Wav2Vec2ConformerModel", sound, (1, 6400)),
              ("patchtst", "PatchTSTConfig", "PatchTSTForPrediction",
               {"num_input_channels": 3, "context_length": 32, "d_model": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "ffn_dim": 64,
                "patch_length": 8, "patch_stride": 8}, (1, 32, 3))]
    for name, config, cls, options, shape in others:
        yield f"transformers/{name}", make(config, cls, **options), shape
    yield "transformers/vit", make("ViTConfig", "ViTModel", hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4), IMAGE


PACKAGES = {"torchvision": torchvision_models, "timm": timm_models, "transformers": transformers_models}


def all_names():
    """Of the packages that are installed; a line for each other one."""
    names = []
    for package, models in PACKAGES.items():
        try:
            names += [name for name, _, _ in models()]
        except ImportError as missing:
            print(f"[SKIP] {package}: {missing}")
    return names


def find_model(wanted):
    """The constructor of a model, and its shape. Only the model's own package is imported: one takes seconds."""
    return next((make, shape) for name, make, shape in PACKAGES[wanted.split("/")[0]]() if name == wanted)


def make_model(name, dtype):
    """A model with seeded weights, its arguments, and others of the same shapes. On the CPU."""
    import torch
    torch.manual_seed(sum(map(ord, name)))
    make, shape = find_model(name)
    model = make().eval()
    if shape == "tokens":
        model.config.use_cache = False
        return model.to(dtype), (torch.randint(0, 1000, (1, 32)),), (torch.randint(0, 1000, (1, 32)),)
    arguments, others = (torch.rand(shape) * 2 - 1,), (torch.rand(shape) * 2 - 1,)
    as_if_trained(model, (torch.rand((4,) + shape[1:]) * 2 - 1,))
    return model.to(dtype), (arguments[0].to(dtype),), (others[0].to(dtype),)


def as_if_trained(model, arguments):
    """Weights that initialization leaves alike (heads of zeros, scales of 1e-5, biases) become different ones, and batch
    normalization gets the statistics of its input: otherwise outputs vanish, and every comparison holds."""
    import torch
    for parameter in model.parameters():
        if parameter.numel() > 1 and float(parameter.detach().max() - parameter.detach().min()) < 1e-4:
            parameter.data += torch.rand_like(parameter) * 0.4 - 0.2
    trained = copy.deepcopy(model)  # models keep tensors of what they were called with
    norms = [module for module in trained.modules() if isinstance(module, torch.nn.modules.batchnorm._BatchNorm)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the average over all calls
        norm.train()
    if norms:
        with torch.no_grad():
            trained(*arguments)
        model.load_state_dict(trained.state_dict())
