// Sums of products of more than two tensors, as a chain of those of two: einsum of many operands,
// bilinear and _trilinear.
#include "base/Error.h"
#include "compiler/operators/Arguments.h"
#include "compiler/operators/Composition.h"
#include "compiler/operators/LaunchBuilder.h"
#include "compiler/operators/Products.h"
#include "compiler/operators/Shapes.h"

#include <algorithm>
#include <cctype>

namespace inlay {
namespace {

/// A tensor with a letter for each of its dimensions.
struct Term {
  std::string labels;
  TensorSpec tensor;
  TensorArgument argument;
};

/// A sum of products of terms: those letters that the result lacks are summed over.
struct Chain {
  std::vector<Term> terms;
  std::string result;
};

using SizesOfLabels = std::map<char, Expr>;

/// The size of each letter. Sizes of 1 give way to others.
SizesOfLabels sizesOf(const Chain &chain, std::vector<PluginRequirement> &requirements) {
  SizesOfLabels sizes;
  for (const Term &term : chain.terms)
    for (size_t dim = 0; dim < term.labels.size(); ++dim) {
      const Expr &size = term.tensor.shape[dim];
      Expr &known = sizes.try_emplace(term.labels[dim], size).first->second;
      if (isOne(known))
        known = size;
      else if (!isOne(size) && !(known == size))
        requirements.push_back(
            {equal(known, size), fmt::format("sizes {} and {} of one label are "
                                             "equal",
                                             known.toString(), size.toString())});
    }
  return sizes;
}

std::vector<Expr> shapeOf(std::string_view labels, const SizesOfLabels &sizes) {
  std::vector<Expr> shape;
  for (char label : labels)
    shape.push_back(sizes.at(label));
  return shape;
}

/// The letters of a product of two terms that the result or a later term has.
std::string keptLabels(const Chain &chain, const std::string &first, size_t next) {
  std::string later = chain.result, kept;
  for (size_t i = next + 1; i < chain.terms.size(); ++i)
    later += chain.terms[i].labels;
  for (char label : first + chain.terms[next].labels)
    if (later.find(label) != std::string::npos && kept.find(label) == std::string::npos)
      kept += label;
  return kept;
}

/// Appends the products of the terms from left to right, the last of which is the output.
Status appendChain(Composition &whole, const PluginNode &node, const Chain &chain) {
  std::vector<PluginRequirement> requirements;
  const SizesOfLabels sizes = sizesOf(chain, requirements);
  Term total = chain.terms[0];
  for (size_t next = 1; next < chain.terms.size(); ++next) {
    const bool isLast = next + 1 == chain.terms.size();
    const Term &term = chain.terms[next];
    Term product{isLast ? chain.result : keptLabels(chain, total.labels, next), {}, {}};
    product.tensor = {total.tensor.dtype, shapeOf(product.labels, sizes)};
    product.argument = isLast ? TensorArgument{LaunchArgument::Kind::Output, 0, total.tensor.dtype}
                              : whole.addWorkspace(fmt::format("product {}", next),
                                                   total.tensor.dtype, product.tensor.numel());
    PluginNode part = node;
    part.opName = "aten::einsum";
    part.libraries = {};
    part.inputs = {total.tensor, term.tensor};
    part.inputNames = {"tensors[0]", "tensors[1]"};
    part.attributes = {
        {"equation", fmt::format("{},{}->{}", total.labels, term.labels, product.labels)}};
    part.sizeAttributes.clear();
    part.outputs = {product.tensor};
    INLAY_ASSIGN(PluginImplementation launches, implementContraction(part));
    whole.append(std::move(launches), std::array{total.argument, term.argument}, product.argument);
    total = std::move(product);
  }
  return {};
}

Term inputTerm(const PluginNode &node, uint32_t index, std::string labels) {
  return {std::move(labels),
          node.inputs[index],
          {LaunchArgument::Kind::Input, index, node.inputs[index].dtype}};
}

Status checkLabels(const Term &term, std::string_view equation) {
  if (!std::ranges::all_of(term.labels, [](unsigned char c) { return std::isalpha(c) != 0; }))
    return unimplemented("equation '{}' of more than two operands has other signs than letters, "
                         "',' and '->', which is not supported",
                         equation);
  if (term.labels.size() != term.tensor.shape.size())
    return invalidArgument("an operand has the shape {}, but the labels '{}' in the equation '{}'",
                           shapeText(term.tensor.shape), term.labels, equation);
  return {};
}

Result<Chain> einsumChain(const PluginNode &node) {
  const std::string &equation = textOf(node, "equation");
  std::string text;
  std::ranges::copy_if(equation, std::back_inserter(text), [](char c) { return c != ' '; });
  const size_t arrow = text.find("->");
  Chain chain;
  std::string_view left = std::string_view(text).substr(0, arrow);
  for (uint32_t i = 0; i < node.inputs.size(); ++i) {
    const size_t comma = std::min(left.find(','), left.size());
    chain.terms.push_back(inputTerm(node, i, std::string(left.substr(0, comma))));
    INLAY_TRY(checkLabels(chain.terms.back(), equation));
    left.remove_prefix(std::min(comma + 1, left.size()));
  }
  if (!left.empty())
    return invalidArgument("equation '{}' has more operands than the {} that there are", equation,
                           node.inputs.size());
  if (arrow != std::string::npos) {
    chain.result = text.substr(arrow + 2);
  } else {
    for (char label : text)
      if (label != ',' && std::ranges::count(text, label) == 1)
        chain.result += label;
    std::ranges::sort(chain.result);
  }
  for (char label : chain.result)
    if (std::ranges::count(chain.result, label) != 1 ||
        text.substr(0, arrow).find(label) == std::string::npos)
      return invalidArgument("label '{}' of the output is there twice, or in no operand", label);
  return chain;
}

Status checkOperands(const PluginNode &node) {
  INLAY_TRY(checkOneType(node));
  return checkFloat(node, node.inputNames[0]);
}

/// Rows of two inputs with a matrix for each result between them: rows lie along the last
/// dimension.
Result<Chain> bilinearChain(const PluginNode &node) {
  Chain chain;
  for (const auto &[name, labels] :
       {std::pair("input1", "xi"), std::pair("weight", "oij"), std::pair("input2", "xj")}) {
    Term term = inputTerm(node, inputIndex(node, name), labels);
    std::vector<Expr> &shape = term.tensor.shape;
    const bool isWeight = term.labels.size() == 3;
    if (isWeight ? shape.size() != 3 : shape.empty())
      return invalidArgument("'{}' has rank {}", name, shape.size());
    if (!isWeight)
      shape = {productOf(std::span(shape).first(shape.size() - 1)), shape.back()};
    chain.terms.push_back(std::move(term));
  }
  chain.result = "xo";
  return chain;
}

Result<PluginDescription> describeBilinear(const PluginNode &node) {
  INLAY_TRY(checkOperands(node));
  INLAY_ASSIGN(const Chain chain, bilinearChain(node));
  PluginDescription description;
  sizesOf(chain, description.requirements);
  TensorSpec output = inputOf(node, "input1");
  output.shape.back() = inputOf(node, "weight").shape[0];
  description.outputs.push_back(std::move(output));
  return description;
}

Result<PluginImplementation> implementBilinear(const PluginNode &node) {
  constexpr int64_t kBlock = 1024;
  INLAY_ASSIGN(const Chain chain, bilinearChain(node));
  Composition whole;
  INLAY_TRY(appendChain(whole, node, chain));
  if (const std::optional<uint32_t> bias = findInputIndex(node, "bias")) {
    LaunchBuilder launch("contraction.py", "add_bias_kernel");
    const Expr n = node.outputs[0].numel();
    launch.output(0).input(*bias).sizes({n, node.outputs[0].shape.back()});
    launch.constant("SUM", sumTypeOf(node.inputs[0].dtype)).constant("BLOCK", kBlock);
    whole.append(launch.launchOver(ceilDiv(n, kBlock)));
  }
  return whole.take();
}

/// Of _trilinear: each input has dimensions of size 1 at the places that expand… names.
Result<Chain> trilinearChain(const PluginNode &node) {
  Chain chain;
  std::string all;
  for (uint32_t i = 0; i < 3; ++i) {
    const std::vector<int64_t> expanded = integersOf(node, fmt::format("expand{}", i + 1));
    const size_t rank = node.inputs[i].shape.size() + expanded.size();
    INLAY_ASSIGN(const std::vector<size_t> missing, dimensionsOf(expanded, rank));
    if (i > 0 && rank != all.size())
      return invalidArgument("inputs have {} and {} dimensions when expanded", all.size(), rank);
    if (rank > 26)
      return unimplemented("inputs have {} dimensions when expanded", rank);
    std::string labels;
    all.clear();
    for (size_t dim = 0; dim < rank; ++dim) {
      all += static_cast<char>('a' + dim);
      if (std::ranges::find(missing, dim) == missing.end())
        labels += all.back();
    }
    chain.terms.push_back(inputTerm(node, i, labels));
  }
  INLAY_ASSIGN(const std::vector<size_t> summed,
               dimensionsOf(integersOf(node, "sumdim"), all.size()));
  for (size_t dim = 0; dim < all.size(); ++dim)
    if (std::ranges::find(summed, dim) == summed.end())
      chain.result += all[dim];
  return chain;
}

using ReadChain = Result<Chain> (*)(const PluginNode &);

Result<PluginDescription> describeChain(const PluginNode &node, ReadChain read) {
  INLAY_TRY(checkOperands(node));
  INLAY_ASSIGN(const Chain chain, read(node));
  PluginDescription description;
  const SizesOfLabels sizes = sizesOf(chain, description.requirements);
  description.outputs.push_back({node.inputs[0].dtype, shapeOf(chain.result, sizes)});
  return description;
}

Result<PluginImplementation> implementChain(const PluginNode &node, ReadChain read) {
  INLAY_ASSIGN(const Chain chain, read(node));
  Composition whole;
  INLAY_TRY(appendChain(whole, node, chain));
  return whole.take();
}

} // namespace

Result<PluginDescription> describeContractions(const PluginNode &node) {
  return describeChain(node, einsumChain);
}
Result<PluginImplementation> implementContractions(const PluginNode &node) {
  return implementChain(node, einsumChain);
}

void addContractionChainOperators(OperatorDefinitions &definitions) {
  addOperator(definitions,
              "aten::bilinear(Tensor input1, Tensor input2, Tensor weight, Tensor? bias=None) -> "
              "Tensor",
              {describeBilinear, implementBilinear, "", {}, {.multipliesOnTensorCores = true}});
  addOperator(definitions,
              "aten::_trilinear(Tensor i1, Tensor i2, Tensor i3, int[] expand1, int[] expand2, "
              "int[] expand3, int[] sumdim, int unroll_dim=1) -> Tensor",
              {[](const PluginNode &node) { return describeChain(node, trilinearChain); },
               [](const PluginNode &node) { return implementChain(node, trilinearChain); },
               "",
               {},
               {.multipliesOnTensorCores = true}});
}

} // namespace inlay
