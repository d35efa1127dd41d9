#include "compiler/frontends/pt2/Pickle.h"

#include "base/Error.h"

#include <algorithm>
#include <cstring>

namespace inlay::pt2 {
namespace {

using Kind = PickledObject::Kind;

/// Objects of a state dictionary: some twenty for each tensor.
constexpr size_t kMaxObjects = 2'000'000;
constexpr size_t kMaxRank = 64;
/// Keys are copied for each tensor; PyTorch's are decimal numbers.
constexpr size_t kMaxKeyBytes = 256;

/// Element types of storages, and as attributes of torch.
std::optional<DataType> storageDataType(std::string_view storageClass) {
  static constexpr std::pair<std::string_view, DataType> kTypes[] = {
      {"torch ByteStorage", DataType::UInt8},    {"torch CharStorage", DataType::Int8},
      {"torch ShortStorage", DataType::Int16},   {"torch IntStorage", DataType::Int32},
      {"torch LongStorage", DataType::Int64},    {"torch HalfStorage", DataType::Float16},
      {"torch FloatStorage", DataType::Float32}, {"torch DoubleStorage", DataType::Float64},
      {"torch BoolStorage", DataType::Bool},     {"torch BFloat16Storage", DataType::BFloat16}};
  for (const auto &[name, type] : kTypes)
    if (name == storageClass)
      return type;
  return std::nullopt;
}
std::optional<DataType> attributeDataType(std::string_view name) {
  static constexpr std::pair<std::string_view, DataType> kTypes[] = {
      {"torch uint8", DataType::UInt8},
      {"torch int8", DataType::Int8},
      {"torch int16", DataType::Int16},
      {"torch int32", DataType::Int32},
      {"torch int64", DataType::Int64},
      {"torch uint16", DataType::UInt16},
      {"torch uint32", DataType::UInt32},
      {"torch uint64", DataType::UInt64},
      {"torch float16", DataType::Float16},
      {"torch float32", DataType::Float32},
      {"torch float64", DataType::Float64},
      {"torch bfloat16", DataType::BFloat16},
      {"torch bool", DataType::Bool},
      {"torch float8_e4m3fn", DataType::Float8E4M3FN},
      {"torch float8_e5m2", DataType::Float8E5M2}};
  for (const auto &[known, type] : kTypes)
    if (known == name)
      return type;
  return std::nullopt;
}

constexpr std::string_view kOrderedDict = "collections OrderedDict";
constexpr std::string_view kRebuildTensor = "torch._utils _rebuild_tensor_v2";
constexpr std::string_view kRebuildTypedTensor = "torch._utils _rebuild_tensor_v3";
constexpr std::string_view kRebuildParameter = "torch._utils _rebuild_parameter";
constexpr std::string_view kRebuildStatefulParameter = "torch._utils _rebuild_parameter_with_state";
constexpr std::string_view kSize = "torch Size", kDevice = "torch device";

bool isKnownGlobal(std::string_view name) {
  static constexpr std::string_view kOthers[] = {kOrderedDict,
                                                 kRebuildTensor,
                                                 kRebuildTypedTensor,
                                                 kRebuildParameter,
                                                 kRebuildStatefulParameter,
                                                 kSize,
                                                 kDevice,
                                                 "torch UntypedStorage",
                                                 "torch.storage UntypedStorage"};
  return storageDataType(name) || attributeDataType(name) ||
         std::find(std::begin(kOthers), std::end(kOthers), name) != std::end(kOthers);
}

/// Text of a pickle as messages show it.
std::string shown(std::string_view text) {
  std::string result(text.substr(0, 80));
  for (char &c : result)
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e)
      c = '?';
  return result;
}

class PickleReader {
public:
  explicit PickleReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  Result<Pickle> read() {
    while (!isStopped_) {
      opcodeAt_ = at_;
      INLAY_ASSIGN(uint64_t opcode, takeNumber(1));
      INLAY_TRY(step(static_cast<uint8_t>(opcode)));
      if (pickle_.objects.size() > kMaxObjects)
        return unimplemented("the pickle has more than {} objects", kMaxObjects);
    }
    return std::move(pickle_);
  }

private:
  // -- bytes

  Status malformed(std::string_view what) const {
    return dataLoss("the pickle is malformed at byte {}: {}", opcodeAt_, what);
  }
  Result<std::string_view> take(uint64_t count) {
    if (count > bytes_.size() - at_)
      return malformed("it ends too early");
    const auto *begin = reinterpret_cast<const char *>(bytes_.data()) + at_;
    at_ += count;
    return std::string_view(begin, count);
  }
  /// An unsigned little-endian number.
  Result<uint64_t> takeNumber(size_t count) {
    INLAY_ASSIGN(std::string_view text, take(count));
    uint64_t value = 0;
    for (size_t i = count; i-- > 0;)
      value = value << 8 | static_cast<unsigned char>(text[i]);
    return value;
  }
  Result<std::string> takeLine() {
    const auto rest = bytes_.subspan(at_);
    const auto end = std::find(rest.begin(), rest.end(), std::byte('\n'));
    if (end == rest.end())
      return malformed("a name does not end");
    INLAY_ASSIGN(std::string_view line, take(static_cast<uint64_t>(end - rest.begin())));
    ++at_;
    return std::string(line);
  }

  // -- stack

  uint32_t add(PickledObject object) {
    pickle_.objects.push_back(std::move(object));
    return static_cast<uint32_t>(pickle_.objects.size() - 1);
  }
  Status push(PickledObject object) {
    stack_.push_back(add(std::move(object)));
    return {};
  }
  Status pushInteger(int64_t value) {
    PickledObject object;
    object.kind = Kind::Integer;
    object.integer = value;
    return push(std::move(object));
  }
  Status pushText(std::string_view text) {
    PickledObject object;
    object.kind = Kind::Text;
    object.text = text;
    return push(std::move(object));
  }
  Result<uint32_t> pop() {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back()))
      return malformed("it takes an object that is not there");
    const uint32_t object = stack_.back();
    stack_.pop_back();
    return object;
  }
  /// The objects since the last mark, which is taken away.
  Result<std::vector<uint32_t>> popToMark() {
    if (marks_.empty())
      return malformed("there is no mark");
    const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<uint32_t> items(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    marks_.pop_back();
    return items;
  }
  Status pushTuple(std::vector<uint32_t> items) {
    PickledObject tuple;
    tuple.kind = Kind::Tuple;
    tuple.items = std::move(items);
    return push(std::move(tuple));
  }
  Status pushSmallTuple(size_t count) {
    std::vector<uint32_t> items(count);
    for (size_t i = count; i-- > 0;) {
      INLAY_ASSIGN(items[i], pop());
    }
    return pushTuple(std::move(items));
  }
  /// Adds items to the container on top.
  Status extend(Kind kind, const std::vector<uint32_t> &items) {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back()) ||
        pickle_.objects[stack_.back()].kind != kind ||
        (kind == Kind::Dict && items.size() % 2 != 0))
      return malformed("items are given to what is no container of them");
    std::vector<uint32_t> &all = pickle_.objects[stack_.back()].items;
    all.insert(all.end(), items.begin(), items.end());
    return {};
  }

  // -- opcodes

  Status step(uint8_t opcode) {
    PickledObject object;
    switch (opcode) {
    case 0x80: // PROTO
      return skip(1);
    case 0x95: // FRAME
      return skip(8);
    case '.':
      return stop();
    case '(':
      marks_.push_back(stack_.size());
      return {};
    case '0': // POP
      return pop().status();
    case 'N':
      return push(std::move(object));
    case 0x88: // NEWTRUE
    case 0x89: // NEWFALSE
      object.kind = Kind::Bool;
      object.integer = opcode == 0x88;
      return push(std::move(object));
    case 'K':
    case 'M':
    case 'J':
      return readInteger(opcode == 'K' ? 1 : opcode == 'M' ? 2 : 4);
    case 0x8a: // LONG1
      return readLong();
    case 'G':
      return readFloat();
    case 0x8c: // SHORT_BINUNICODE
    case 'X':  // BINUNICODE
    case 0x8d: // BINUNICODE8
      return readText(opcode == 0x8c ? 1 : opcode == 'X' ? 4 : 8);
    case ')':
      return pushTuple({});
    case 0x85:
    case 0x86:
    case 0x87: // TUPLE1 to TUPLE3
      return pushSmallTuple(opcode - 0x84u);
    case 't': {
      INLAY_ASSIGN(std::vector<uint32_t> items, popToMark());
      return pushTuple(std::move(items));
    }
    case ']':
    case '}':
      object.kind = opcode == ']' ? Kind::List : Kind::Dict;
      return push(std::move(object));
    default:
      return stepOnObjects(opcode);
    }
  }

  Status stepOnObjects(uint8_t opcode) {
    switch (opcode) {
    case 'e':   // APPENDS
    case 'u': { // SETITEMS
      INLAY_ASSIGN(std::vector<uint32_t> items, popToMark());
      return extend(opcode == 'e' ? Kind::List : Kind::Dict, items);
    }
    case 'a': { // APPEND
      INLAY_ASSIGN(uint32_t item, pop());
      return extend(Kind::List, {item});
    }
    case 's': { // SETITEM
      INLAY_ASSIGN(uint32_t value, pop());
      INLAY_ASSIGN(uint32_t key, pop());
      return extend(Kind::Dict, {key, value});
    }
    case 'q': // BINPUT
    case 'r': // LONG_BINPUT
      return remember(opcode == 'q' ? 1 : 4);
    case 0x94: // MEMOIZE
      return rememberAs(memo_.size());
    case 'h': // BINGET
    case 'j': // LONG_BINGET
      return recall(opcode == 'h' ? 1 : 4);
    case 'c': { // GLOBAL
      INLAY_ASSIGN(std::string module, takeLine());
      INLAY_ASSIGN(std::string name, takeLine());
      return pushGlobal(module, name);
    }
    case 0x93: { // STACK_GLOBAL
      INLAY_ASSIGN(uint32_t name, pop());
      INLAY_ASSIGN(uint32_t module, pop());
      if (at(name).kind != Kind::Text || at(module).kind != Kind::Text)
        return malformed("a name is no text");
      return pushGlobal(at(module).text, at(name).text);
    }
    case 'Q': // BINPERSID
      return readStorage();
    case 'R':
      return reduce();
    case 'b': // BUILD: attributes of a dictionary, which mean nothing here
      return pop().status();
    default:
      return unimplemented("the pickle has the opcode {:#x} at byte {}, which torch.save does not "
                           "write for tensors",
                           opcode, opcodeAt_);
    }
  }

  const PickledObject &at(uint32_t index) const { return pickle_.objects[index]; }

  Status skip(uint64_t count) { return take(count).status(); }

  Status stop() {
    INLAY_ASSIGN(pickle_.root, pop());
    isStopped_ = true;
    return {};
  }

  Status readInteger(size_t count) {
    INLAY_ASSIGN(uint64_t value, takeNumber(count));
    // Only the longest has a sign.
    return pushInteger(count == 4 ? static_cast<int32_t>(value) : static_cast<int64_t>(value));
  }

  /// An integer of any length in two's complement.
  Status readLong() {
    INLAY_ASSIGN(uint64_t count, takeNumber(1));
    if (count > 8)
      return unimplemented("the pickle has an integer of {} bytes at byte {}; at most 8 are read",
                           count, opcodeAt_);
    INLAY_ASSIGN(uint64_t value, takeNumber(count));
    const uint64_t unused = 64 - 8 * count;
    return pushInteger(count == 0 ? 0 : static_cast<int64_t>(value << unused) >> unused);
  }

  Status readFloat() {
    INLAY_ASSIGN(uint64_t bits, takeNumber(8));
    bits = __builtin_bswap64(bits);
    PickledObject object;
    object.kind = Kind::Float;
    std::memcpy(&object.number, &bits, sizeof(bits));
    return push(std::move(object));
  }

  Status readText(size_t lengthBytes) {
    INLAY_ASSIGN(uint64_t length, takeNumber(lengthBytes));
    INLAY_ASSIGN(std::string_view text, take(length));
    return pushText(text);
  }

  Status remember(size_t count) {
    INLAY_ASSIGN(uint64_t key, takeNumber(count));
    return rememberAs(key);
  }
  Status rememberAs(uint64_t key) {
    if (stack_.empty())
      return malformed("it remembers an object that is not there");
    memo_[key] = stack_.back();
    return {};
  }
  Status recall(size_t count) {
    INLAY_ASSIGN(uint64_t key, takeNumber(count));
    auto found = memo_.find(key);
    if (found == memo_.end())
      return malformed("it recalls an object that it did not remember");
    stack_.push_back(found->second);
    return {};
  }

  Status pushGlobal(const std::string &module, const std::string &name) {
    PickledObject object;
    object.kind = Kind::Global;
    object.text = module + " " + name;
    if (!isKnownGlobal(object.text))
      return unimplemented("the pickle names '{}.{}', which is not needed for plain tensors and is "
                           "never called",
                           shown(module), shown(name));
    return push(std::move(object));
  }

  /// ("storage", class, key, location, number of elements)
  Status readStorage() {
    INLAY_ASSIGN(uint32_t index, pop());
    const PickledObject &id = at(index);
    if (id.kind != Kind::Tuple || id.items.size() < 3 || at(id.items[0]).text != "storage" ||
        at(id.items[1]).kind != Kind::Global || at(id.items[2]).kind != Kind::Text ||
        at(id.items[2]).text.size() > kMaxKeyBytes)
      return malformed("an object outside the pickle is no storage");
    PickledObject storage;
    storage.kind = Kind::Storage;
    storage.storageType = at(id.items[1]).text;
    storage.text = at(id.items[2]).text;
    return push(std::move(storage));
  }

  Status reduce() {
    INLAY_ASSIGN(uint32_t argumentsIndex, pop());
    INLAY_ASSIGN(uint32_t functionIndex, pop());
    // Valid until the result is pushed; never copied, for tuples may be long and used often.
    const PickledObject &arguments = at(argumentsIndex);
    const std::string function = at(functionIndex).text;
    if (at(functionIndex).kind != Kind::Global || arguments.kind != Kind::Tuple)
      return malformed("it calls what is no function");
    PickledObject result;
    if (function == kOrderedDict && arguments.items.empty()) {
      result.kind = Kind::Dict;
      return push(std::move(result));
    }
    if (function == kRebuildTensor || function == kRebuildTypedTensor)
      return rebuildTensor(arguments, function == kRebuildTypedTensor);
    if ((function == kRebuildParameter || function == kRebuildStatefulParameter) &&
        !arguments.items.empty() && at(arguments.items[0]).kind == Kind::Tensor) {
      stack_.push_back(arguments.items[0]);
      return {};
    }
    if (function == kSize && arguments.items.size() == 1) {
      stack_.push_back(arguments.items[0]);
      return {};
    }
    if (function == kDevice)
      return push(std::move(result));
    return unimplemented("the pickle calls '{}' with {} arguments, which is not done for plain "
                         "tensors",
                         shown(function), arguments.items.size());
  }

  /// (storage, offset, sizes, strides, requires_grad, hooks, …), with the type at 6 if it is typed.
  Status rebuildTensor(const PickledObject &arguments, bool isTyped) {
    const size_t needed = isTyped ? 7 : 4;
    if (arguments.items.size() < needed || at(arguments.items[0]).kind != Kind::Storage ||
        at(arguments.items[1]).kind != Kind::Integer)
      return malformed("a tensor has other arguments than a storage, an offset, sizes and strides");
    const PickledObject &storage = at(arguments.items[0]);
    const std::string typeName = isTyped ? at(arguments.items[6]).text : storage.storageType;
    const std::optional<DataType> type =
        isTyped ? attributeDataType(typeName) : storageDataType(typeName);
    if (!type)
      return unimplemented(
          "a tensor has elements of '{}' (complex, quantised or unknown), which is "
          "not supported",
          shown(typeName));
    PickledTensor tensor;
    tensor.storageKey = storage.text;
    tensor.dtype = *type;
    tensor.storageOffset = at(arguments.items[1]).integer;
    INLAY_ASSIGN(tensor.sizes, integersOf(at(arguments.items[2])));
    INLAY_ASSIGN(tensor.strides, integersOf(at(arguments.items[3])));
    if (tensor.sizes.size() != tensor.strides.size() || tensor.sizes.size() > kMaxRank ||
        tensor.storageOffset < 0)
      return malformed("a tensor's offset is negative, or its sizes and strides are not as many");
    PickledObject result;
    result.kind = Kind::Tensor;
    result.integer = static_cast<int64_t>(pickle_.tensors.size());
    pickle_.tensors.push_back(std::move(tensor));
    return push(std::move(result));
  }

  Result<std::vector<int64_t>> integersOf(const PickledObject &tuple) const {
    std::vector<int64_t> values;
    if (tuple.kind != Kind::Tuple || tuple.items.size() > kMaxRank)
      return malformed("sizes or strides are no tuple");
    for (uint32_t item : tuple.items) {
      if (at(item).kind != Kind::Integer || at(item).integer < 0)
        return malformed("a size or a stride is no integer from 0");
      values.push_back(at(item).integer);
    }
    return values;
  }

  std::span<const std::byte> bytes_;
  size_t at_ = 0, opcodeAt_ = 0;
  bool isStopped_ = false;
  Pickle pickle_;
  std::vector<uint32_t> stack_; // objects
  std::vector<size_t> marks_;   // heights of the stack
  std::map<uint64_t, uint32_t> memo_;
};

} // namespace

Result<Pickle> readPickle(std::span<const std::byte> bytes) { return PickleReader(bytes).read(); }

Result<std::map<std::string, std::optional<PickledTensor>, std::less<>>>
readTensorDict(std::span<const std::byte> bytes) {
  INLAY_ASSIGN(Pickle pickle, readPickle(bytes));
  const PickledObject &root = pickle.rootObject();
  if (root.kind != Kind::Dict)
    return dataLoss("the pickle holds no dictionary of tensors");
  std::map<std::string, std::optional<PickledTensor>, std::less<>> tensors;
  for (size_t i = 0; i + 1 < root.items.size(); i += 2) {
    const PickledObject &key = pickle.item(root, i), &value = pickle.item(root, i + 1);
    if (key.kind != Kind::Text)
      return dataLoss("a key of the pickled dictionary is no text");
    std::optional<PickledTensor> tensor;
    if (value.kind == Kind::Tensor)
      tensor = pickle.tensors[static_cast<size_t>(value.integer)];
    if (!tensors.emplace(key.text, std::move(tensor)).second)
      return dataLoss("the pickled dictionary has the key '{}' twice", shown(key.text));
  }
  return tensors;
}

} // namespace inlay::pt2
