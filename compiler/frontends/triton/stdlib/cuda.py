"""triton.language.extra.cuda: what a program can ask of an NVIDIA GPU."""
import inlay
import triton.language as tl
from triton import jit


@jit
def num_warps():
    return inlay.num_warps()


@jit
def num_threads():
    return 32 * inlay.num_warps()


@jit
def smid():
    return tl.inline_asm_elementwise("mov.u32 $0, %smid;", "=r", [], dtype=tl.int32, is_pure=True, pack=1)


@jit
def globaltimer():
    return tl.inline_asm_elementwise("mov.u64 $0, %globaltimer;", "=l", [], dtype=tl.int64, is_pure=False,
                                     pack=1)


@jit
def gdc_wait():
    tl.inline_asm_elementwise("griddepcontrol.wait; // $0", "=r", [], dtype=tl.int32, is_pure=False, pack=1)


@jit
def gdc_launch_dependents():
    tl.inline_asm_elementwise("griddepcontrol.launch_dependents; // $0", "=r", [], dtype=tl.int32,
                              is_pure=False, pack=1)
