"""The text of a graph that calls an operator on its own result, again and again."""


def chain_graph(count, size, op="my::add_one", bounds=(1, 1 << 20, 4096)):
    """`count` calls of `op` on a float32 tensor of `size` elements: a number, or the name of a symbol with (min, max, opt)."""
    tensor = f'!graph.tensor<["{size}"], "float32">'
    minimum, maximum, optimum = bounds
    symbols = "" if isinstance(size, int) else f'{{name = "{size}", min = {minimum} : i64, max = {maximum} : i64, opt = {optimum} : i64}}'
    calls = "".join(f'  %{i + 1} = graph.call "{op}" node "node_{i + 1}" (%{i}) names ["X"] arguments {{}} : ({tensor}) -> {tensor}\n'
                    for i in range(count))
    return (f'graph.model @chain inputs ["in_0"] [""] outputs ["out_0"] [""] symbols [{symbols}] checks [] {{\n'
            f'^bb0(%0: {tensor}):\n{calls}  graph.output %{count} : {tensor}\n}}\n')
