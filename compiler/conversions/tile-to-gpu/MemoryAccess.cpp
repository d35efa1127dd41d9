#include "compiler/conversions/tile-to-gpu/MemoryAccess.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace inlay::tile_to_gpu {

namespace {

constexpr unsigned kLargestAccessBytes = 16;

/// The machine words that one access of `width` elements moves.
struct Words {
  Words(OpBuilder &builder, Type memoryType, unsigned width)
      : memoryType(memoryType), width(width) {
    const unsigned elementBits =
        memoryType.isIntOrFloat() ? memoryType.getIntOrFloatBitWidth() : 64;
    const unsigned bits = elementBits * width;
    wordBits = elementBits == 64 ? 64 : std::min(32u, bits);
    count = bits / wordBits;
    // PTX has no registers of 8 bits.
    registerType = builder.getIntegerType(std::max(16u, wordBits));
    wordType = builder.getIntegerType(wordBits);
    elementIntType = builder.getIntegerType(elementBits);
  }

  Type memoryType, elementIntType, wordType, registerType;
  unsigned width, wordBits, count;

  StringRef constraint() const { return wordBits == 64 ? "l" : wordBits == 32 ? "r" : "h"; }
};

class AccessEmitter {
public:
  AccessEmitter(OpBuilder &builder, Location location, const AccessTraits &traits)
      : builder_(builder), location_(location), traits_(traits),
        memoryType_(memoryTypeOf(traits.elementType)) {}

  /// Elements (in their memory type) at `pointer` where `predicate` (null: always), else `initial`.
  Registers load(Value pointer, Value predicate, ValueRange initial, unsigned width) {
    Words words(builder_, memoryType_, width);
    if (!predicate && isPlain())
      return fromVector(LLVM::LoadOp::create(builder_, location_, vectorType(words), pointer,
                                             width * elementBytes()));
    Registers initialWords = predicate ? toWords(words, initial) : Registers();
    std::string text, constraints;
    llvm::raw_string_ostream stream(text), list(constraints);
    SmallVector<Value> operands;
    unsigned operand = words.count;
    for (unsigned i = 0; i < words.count; ++i)
      list << (i ? "," : "") << "=" << words.constraint();
    list << ",l";
    operands.push_back(pointer);
    const unsigned pointerIndex = operand++;
    if (predicate) {
      list << ",b";
      operands.push_back(predicate);
      stream << "@$" << operand++ << " ";
      for (unsigned i = 0; i < words.count; ++i)
        list << "," << i;
      operands.append(initialWords);
    }
    stream << (traits_.isVolatile ? "ld.volatile.global" : "ld.global") << modifiers()
           << suffix(words) << " ";
    printWords(stream, words, 0);
    stream << ", [$" << pointerIndex << "];";
    SmallVector<Type> types(words.count, words.registerType);
    Type result = words.count == 1 ? words.registerType
                                   : LLVM::LLVMStructType::getLiteral(builder_.getContext(), types);
    Value loaded = assemble(result, operands, text, constraints);
    Registers loadedWords;
    for (unsigned i = 0; i < words.count; ++i)
      loadedWords.push_back(
          words.count == 1
              ? loaded
              : LLVM::ExtractValueOp::create(builder_, location_, loaded, static_cast<int64_t>(i))
                    .getResult());
    return fromWords(words, loadedWords);
  }

  void store(Value pointer, Value predicate, ValueRange values) {
    Words words(builder_, memoryType_, static_cast<unsigned>(values.size()));
    if (!predicate && isPlain()) {
      LLVM::StoreOp::create(builder_, location_, toVector(words, values), pointer,
                            words.width * elementBytes());
      return;
    }
    std::string text, constraints;
    llvm::raw_string_ostream stream(text), list(constraints);
    SmallVector<Value> operands = toWords(words, values);
    for (unsigned i = 0; i < words.count; ++i)
      list << words.constraint() << ",";
    list << "l";
    operands.push_back(pointer);
    if (predicate) {
      list << ",b";
      operands.push_back(predicate);
      stream << "@$" << words.count + 1 << " ";
    }
    // What was loaded before must not be taken to be still there.
    list << ",~{memory}";
    stream << "st.global" << modifiers() << suffix(words) << " [$" << words.count << "], ";
    printWords(stream, words, 0);
    stream << ";";
    assemble(Type(), operands, text, constraints);
  }

  Value andOf(Value a, Value b) {
    if (!a || !b)
      return a ? a : b;
    return arith::AndIOp::create(builder_, location_, a, b);
  }
  Value notOf(Value a) {
    return arith::XOrIOp::create(builder_, location_, a,
                                 integerConstant(builder_, location_, builder_.getI1Type(), 1));
  }
  /// Whether an address is a multiple of `bytes`.
  Value isMultiple(Value pointer, unsigned bytes) {
    Type i64 = builder_.getI64Type();
    Value address = LLVM::PtrToIntOp::create(builder_, location_, i64, pointer);
    Value rest = arith::AndIOp::create(builder_, location_, address,
                                       integerConstant(builder_, location_, i64, bytes - 1));
    return arith::CmpIOp::create(builder_, location_, arith::CmpIPredicate::eq, rest,
                                 integerConstant(builder_, location_, i64, 0));
  }
  /// The condition for one access of the whole run; null if it is always right. With it come the
  /// conditions of the single accesses that are left.
  Value wholeRun(const AccessPlan &plan, ValueRange pointers, ValueRange masks) {
    Value all;
    if (!plan.isAligned)
      all = isMultiple(pointers[0], plan.width * elementBytes());
    if (masks.empty())
      return all;
    for (Value mask : plan.hasUniformMask ? masks.take_front(1) : masks)
      all = andOf(all, mask);
    return all;
  }

  unsigned elementBytes() const { return memoryBytesOf(traits_.elementType); }
  Registers toMemoryTypes(ValueRange values) {
    Registers result;
    for (Value value : values)
      result.push_back(toMemory(builder_, location_, value));
    return result;
  }
  Registers zeros(unsigned width) {
    Value zero =
        isa<LLVM::LLVMPointerType>(memoryType_)
            ? LLVM::ZeroOp::create(builder_, location_, memoryType_).getResult()
            : arith::ConstantOp::create(builder_, location_, builder_.getZeroAttr(memoryType_))
                  .getResult();
    return Registers(width, zero);
  }
  Registers fromMemoryTypes(ValueRange values) {
    Registers result;
    for (Value value : values)
      result.push_back(fromMemory(builder_, location_, value, traits_.elementType));
    return result;
  }

private:
  bool isPlain() const {
    return traits_.cache == tile::CacheModifier::None &&
           traits_.evict == tile::EvictionPolicy::Normal && !traits_.isVolatile;
  }

  std::string modifiers() const {
    std::string text;
    if (traits_.isVolatile)
      return text;
    // PTX takes one of the two.
    if (traits_.cache != tile::CacheModifier::None)
      text += "." + tile::stringifyCacheModifier(traits_.cache).str();
    else if (traits_.evict != tile::EvictionPolicy::Normal)
      text += ".L1::" + tile::stringifyEvictionPolicy(traits_.evict).str();
    return text;
  }
  static std::string suffix(const Words &words) {
    std::string vector = words.count > 1 ? ".v" + std::to_string(words.count) : "";
    return vector + ".b" + std::to_string(words.wordBits);
  }
  static void printWords(llvm::raw_ostream &stream, const Words &words, unsigned first) {
    if (words.count == 1) {
      stream << "$" << first;
      return;
    }
    stream << "{";
    for (unsigned i = 0; i < words.count; ++i)
      stream << (i ? ", " : " ") << "$" << first + i;
    stream << " }";
  }

  Value assemble(Type result, ValueRange operands, StringRef text, StringRef constraints) {
    auto op = LLVM::InlineAsmOp::create(
        builder_, location_, result ? TypeRange(result) : TypeRange(), operands, text, constraints,
        /*has_side_effects=*/true, /*is_align_stack=*/false, LLVM::TailCallKind::None,
        LLVM::AsmDialectAttr(), ArrayAttr());
    return result ? op.getResult(0) : Value();
  }

  Type vectorType(const Words &words) const {
    return words.width == 1 ? memoryType_ : VectorType::get({words.width}, memoryType_);
  }
  Value index(unsigned i) { return integerConstant(builder_, location_, builder_.getI32Type(), i); }
  Registers fromVector(Value vector) {
    auto type = dyn_cast<VectorType>(vector.getType());
    if (!type)
      return {vector};
    Registers elements;
    for (int64_t i = 0; i < type.getNumElements(); ++i)
      elements.push_back(LLVM::ExtractElementOp::create(builder_, location_, vector,
                                                        index(static_cast<unsigned>(i))));
    return elements;
  }
  Value toVector(const Words &words, ValueRange elements) {
    if (words.width == 1)
      return elements[0];
    Value vector = LLVM::PoisonOp::create(builder_, location_, vectorType(words));
    for (auto [i, element] : llvm::enumerate(elements))
      vector = LLVM::InsertElementOp::create(builder_, location_, vector, element,
                                             index(static_cast<unsigned>(i)));
    return vector;
  }

  /// Elements of the memory type as integers of the same width, and back.
  Value toInteger(const Words &words, Value element) {
    if (element.getType() == words.elementIntType)
      return element;
    if (isa<LLVM::LLVMPointerType>(element.getType()))
      return LLVM::PtrToIntOp::create(builder_, location_, words.elementIntType, element);
    return LLVM::BitcastOp::create(builder_, location_, words.elementIntType, element);
  }
  Value fromInteger(Value integer) {
    if (integer.getType() == memoryType_)
      return integer;
    if (isa<LLVM::LLVMPointerType>(memoryType_))
      return LLVM::IntToPtrOp::create(builder_, location_, memoryType_, integer);
    return LLVM::BitcastOp::create(builder_, location_, memoryType_, integer);
  }

  /// Packs elements into words, as registers of PTX hold them.
  Registers toWords(const Words &words, ValueRange elements) {
    const unsigned perWord = words.width / words.count;
    Registers result;
    for (unsigned i = 0; i < words.count; ++i) {
      Value word;
      if (perWord == 1) {
        word = toInteger(words, elements[i]);
      } else {
        Type type = VectorType::get({perWord}, words.elementIntType);
        Value vector = LLVM::PoisonOp::create(builder_, location_, type);
        for (unsigned k = 0; k < perWord; ++k)
          vector = LLVM::InsertElementOp::create(
              builder_, location_, vector, toInteger(words, elements[i * perWord + k]), index(k));
        word = LLVM::BitcastOp::create(builder_, location_, words.wordType, vector);
      }
      if (words.wordType != words.registerType)
        word = arith::ExtUIOp::create(builder_, location_, words.registerType, word);
      result.push_back(word);
    }
    return result;
  }
  Registers fromWords(const Words &words, ValueRange loaded) {
    const unsigned perWord = words.width / words.count;
    Registers elements;
    for (Value word : loaded) {
      if (words.wordType != words.registerType)
        word = arith::TruncIOp::create(builder_, location_, words.wordType, word);
      if (perWord == 1) {
        elements.push_back(fromInteger(word));
        continue;
      }
      Value vector = LLVM::BitcastOp::create(
          builder_, location_, VectorType::get({perWord}, words.elementIntType), word);
      for (Value element : fromVector(vector))
        elements.push_back(fromInteger(element));
    }
    return elements;
  }

  OpBuilder &builder_;
  Location location_;
  const AccessTraits &traits_;
  Type memoryType_;
};

} // namespace

AccessPlan planAccess(tile::AxisAnalysis &axes, Value pointers, Value mask,
                      const tile::LinearLayout &layout) {
  AccessPlan plan;
  const unsigned elementBytes = memoryBytesOf(
      cast<tile::PointerType>(tile::elementTypeOf(pointers.getType())).getElementType());
  const tile::AxisInfo address = axes.get(pointers);
  std::optional<tile::AxisInfo> maskInfo;
  if (mask)
    maskInfo = axes.get(mask);
  for (unsigned d = 0; d < layout.rank(); ++d) {
    const int64_t width = std::min<int64_t>({layout.contiguousRegisters(d), address.contiguity[d],
                                             std::max(1u, kLargestAccessBytes / elementBytes)});
    if (width <= plan.width)
      continue;
    plan.width = static_cast<unsigned>(width);
    plan.isAligned = address.divisibility[d] >= width * elementBytes;
    plan.hasUniformMask = !mask || maskInfo->constancy[d] >= width;
  }
  return plan;
}

Registers emitLoad(OpBuilder &builder, Location location, const AccessPlan &plan,
                   const AccessTraits &traits, ValueRange pointers, ValueRange masks,
                   ValueRange others) {
  AccessEmitter emitter(builder, location, traits);
  Registers initial = others.empty() ? emitter.zeros(plan.width) : emitter.toMemoryTypes(others);
  Value whole = emitter.wholeRun(plan, pointers, masks);
  Registers loaded = emitter.load(pointers[0], whole, initial, plan.width);
  const bool isProved = plan.isAligned && plan.hasUniformMask;
  if (plan.width > 1 && !isProved) {
    Value single = emitter.notOf(whole);
    for (unsigned i = 0; i < plan.width; ++i) {
      Value predicate = masks.empty() ? single : emitter.andOf(single, masks[i]);
      loaded[i] = emitter.load(pointers[i], predicate, loaded[i], 1).front();
    }
  }
  return emitter.fromMemoryTypes(loaded);
}

void emitStore(OpBuilder &builder, Location location, const AccessPlan &plan,
               const AccessTraits &traits, ValueRange pointers, ValueRange values, ValueRange masks,
               Value owner) {
  AccessEmitter emitter(builder, location, traits);
  Registers stored = emitter.toMemoryTypes(values);
  Value whole = emitter.wholeRun(plan, pointers, masks);
  emitter.store(pointers[0], emitter.andOf(whole, owner), stored);
  const bool isProved = plan.isAligned && plan.hasUniformMask;
  if (plan.width == 1 || isProved)
    return;
  Value single = emitter.andOf(emitter.notOf(whole), owner);
  for (unsigned i = 0; i < plan.width; ++i) {
    Value predicate = masks.empty() ? single : emitter.andOf(single, masks[i]);
    emitter.store(pointers[i], predicate, stored[i]);
  }
}

} // namespace inlay::tile_to_gpu
