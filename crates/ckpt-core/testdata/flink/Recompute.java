// Recomputes the answers in the files of this directory with Flink's own classes; see README.md.

import java.io.File;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.jar.JarFile;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.FallbackKey;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.StateRecoveryOptions;
import org.apache.flink.core.execution.SavepointFormatType;
import org.apache.flink.runtime.OperatorIDPair;
import org.apache.flink.runtime.checkpoint.CheckpointOptions;
import org.apache.flink.runtime.checkpoint.CheckpointType;
import org.apache.flink.runtime.checkpoint.SavepointType;
import org.apache.flink.runtime.checkpoint.SnapshotType;
import org.apache.flink.runtime.executiongraph.ExecutionVertexInputInfo;
import org.apache.flink.runtime.executiongraph.JobVertexInputInfo;
import org.apache.flink.runtime.executiongraph.VertexInputInfoComputationUtils;
import org.apache.flink.runtime.io.network.api.writer.SubtaskStateMapper;
import org.apache.flink.runtime.jobgraph.JobVertex;
import org.apache.flink.runtime.state.CheckpointStorageLocationReference;
import org.apache.flink.runtime.state.KeyGroupRange;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;
import org.apache.flink.shaded.guava33.com.google.common.hash.Hashing;
import org.apache.flink.streaming.api.environment.CheckpointConfig;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.flink.util.TimeUtils;

public class Recompute {
    /** The questions of a file, answered anew: the lines of the file as they should be. */
    interface Answers {
        List<String> of(List<String> questions) throws Exception;
    }

    static final Map<String, Answers> FILES = new TreeMap<>();

    static {
        FILES.put("checkpoint_config.txt", each(Recompute::checkpointConfig));
        FILES.put("checkpoint_options.txt", each(Recompute::checkpointOptions));
        FILES.put("durations.txt", each(line -> cut(line, "|") + "|" + orRefused(() -> nanoseconds(cut(line, "|")))));
        FILES.put("key_groups.txt", each(Recompute::keyGroups));
        FILES.put("memory_sizes.txt", each(line -> cut(line, "|") + "|" + orRefused(() -> MemorySize.parseBytes(cut(line, "|")))));
        FILES.put("operator_ids.txt", Recompute::operatorIds);
        FILES.put("options.txt", lines -> options());
        FILES.put("pointwise_edges.txt", each(Recompute::pointwiseEdges));
        FILES.put("setters.txt", lines -> setters());
        FILES.put("subtask_state_mappers.txt", each(Recompute::subtaskStateMappers));
        FILES.put("values.txt", each(Recompute::values));
    }

    public static void main(String[] directories) throws Exception {
        for (Map.Entry<String, Answers> file : FILES.entrySet()) {
            Path path = Path.of(directories[0], file.getKey());
            List<String> comments = new ArrayList<>(), questions = new ArrayList<>();
            for (String line : Files.readString(path).split("\n")) {
                (line.startsWith("# ") ? comments : questions).add(line);
            }
            comments.addAll(file.getValue().of(questions));
            String text = String.join("\n", comments) + "\n";
            boolean same = text.equals(Files.readString(path));
            Files.writeString(path, text);
            System.out.println(file.getKey() + (same ? ": as it was" : ": CHANGED"));
        }
    }

    static Answers each(Function<String, String> answer) {
        return questions -> questions.stream().map(answer).collect(Collectors.toList());
    }

    /** What stands before the last separator. */
    static String cut(String line, String separator) {
        return line.substring(0, line.lastIndexOf(separator));
    }

    static String orRefused(Callable<?> value) {
        try {
            return String.valueOf(value.call());
        } catch (Throwable refused) {
            return "refused";
        }
    }

    static BigInteger nanoseconds(String text) {
        Duration duration = TimeUtils.parseDuration(text);
        BigInteger seconds = BigInteger.valueOf(duration.getSeconds());
        return seconds.multiply(BigInteger.valueOf(1_000_000_000)).add(BigInteger.valueOf(duration.getNano()));
    }

    static String keyGroups(String line) {
        String question = cut(line, " = ");
        String[] words = question.split(" ");
        int[] of = Arrays.stream(words).skip(1).mapToInt(Integer::parseInt).toArray();
        switch (words[0]) {
            case "key":
                int group = KeyGroupRangeAssignment.computeKeyGroupForKeyHash(of[0], of[1]);
                return question + " = " + group + " "
                        + KeyGroupRangeAssignment.computeOperatorIndexForKeyGroup(of[1], of[2], group);
            case "range":
                KeyGroupRange range = KeyGroupRangeAssignment.computeKeyGroupRangeForOperatorIndex(of[0], of[1], of[2]);
                return question + " = " + range.getStartKeyGroup() + " " + range.getEndKeyGroup();
            default:
                return question + " = " + KeyGroupRangeAssignment.computeDefaultMaxParallelism(of[0]);
        }
    }

    static String pointwiseEdges(String line) {
        String question = cut(line, " = ");
        int[] of = Arrays.stream(question.split(" ")).mapToInt(Integer::parseInt).toArray();
        int subpartitions = Math.max(1, (of[1] + of[0] - 1) / of[0]);
        JobVertexInputInfo info =
                VertexInputInfoComputationUtils.computeVertexInputInfoForPointwise(of[0], of[1], i -> subpartitions, false);
        List<Integer> producers = new ArrayList<>();
        for (ExecutionVertexInputInfo input : info.getExecutionVertexInputInfos()) {
            if (input.getSubtaskIndex() == of[2]) {
                input.getConsumedSubpartitionGroups().keySet().forEach(range -> {
                    producers.add(range.getStartIndex());
                    producers.add(range.getEndIndex());
                });
            }
        }
        return question + " = " + Collections.min(producers) + " " + Collections.max(producers);
    }

    static String subtaskStateMappers(String line) {
        if (line.startsWith("ambiguous ")) {
            if (!SubtaskStateMapper.valueOf(line.substring(10)).isAmbiguous()) throw new IllegalStateException(line);
            return line;
        }
        String question = cut(line, " = ");
        String[] words = question.split(" ");
        int[] of = Arrays.stream(words).skip(1).mapToInt(Integer::parseInt).toArray();
        String old;
        try {
            int[] subtasks = SubtaskStateMapper.valueOf(words[0]).getOldSubtasks(of[0], of[1], of[2]);
            old = Arrays.stream(subtasks).mapToObj(String::valueOf).collect(Collectors.joining(" "));
        } catch (UnsupportedOperationException refused) {
            old = "unsupported";
        }
        return question + " = " + old;
    }

    /** Lines of "uid" come from a job graph with operators of those uids, lines of "hash" from the hash function. */
    static List<String> operatorIds(List<String> lines) {
        List<String> uids = new ArrayList<>();
        for (String line : lines) {
            if (line.startsWith("uid ")) uids.add(line.split(" ", 3)[2]);
        }
        StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment();
        environment.disableOperatorChaining();
        var stream = environment.fromSequence(1, 2).map(number -> number).returns(Long.class);
        for (String uid : uids) stream = stream.map(number -> number).returns(Long.class).uid(uid);
        stream.sinkTo(new DiscardingSink<>());
        Map<String, String> found = new HashMap<>();
        for (JobVertex vertex : environment.getStreamGraph().getJobGraph().getVertices()) {
            for (OperatorIDPair pair : vertex.getOperatorIDs()) {
                found.put(pair.getUserDefinedOperatorUid(), pair.getGeneratedOperatorID().toString());
            }
        }
        List<String> answers = new ArrayList<>();
        for (String line : lines) {
            String[] words = line.split(" ", 3);
            var hash = Hashing.murmur3_128(0).newHasher().putString(words[2], StandardCharsets.UTF_8).hash();
            StringBuilder hex = new StringBuilder();
            for (byte octet : hash.asBytes()) hex.append(String.format("%02x", octet));
            answers.add(words[0] + " " + (words[0].equals("uid") ? found.get(words[2]) : hex) + " " + words[2]);
        }
        return answers;
    }

    static SnapshotType snapshotType(String name) {
        switch (name) {
            case "CHECKPOINT": return CheckpointType.CHECKPOINT;
            case "FULL_CHECKPOINT": return CheckpointType.FULL_CHECKPOINT;
            case "SAVEPOINT": return SavepointType.savepoint(SavepointFormatType.CANONICAL);
            case "SUSPEND": return SavepointType.suspend(SavepointFormatType.NATIVE);
            case "TERMINATE": return SavepointType.terminate(SavepointFormatType.NATIVE);
            default: throw new IllegalArgumentException(name);
        }
    }

    static String checkpointOptions(String line) {
        String question = cut(line, " = ");
        String[] of = question.split(" ");
        CheckpointStorageLocationReference here = CheckpointStorageLocationReference.getDefault();
        if (of[0].equals("config")) {
            boolean exactlyOnce = Boolean.parseBoolean(of[2]), unaligned = Boolean.parseBoolean(of[3]);
            var options = CheckpointOptions.forConfig(snapshotType(of[1]), here, exactlyOnce, unaligned, timeout(of[4]));
            return question + " = " + shown(options);
        }
        CheckpointOptions options;
        try {
            var alignment = CheckpointOptions.AlignmentType.valueOf(of[2]);
            options = new CheckpointOptions(snapshotType(of[1]), here, alignment, timeout(of[3]));
        } catch (IllegalArgumentException refused) {
            return question + " = refused";
        }
        CheckpointOptions made = options;
        switch (of[0]) {
            case "predicates":
                return question + " = " + made.needsAlignment() + " " + made.isTimeoutable() + " "
                        + made.needsChannelState() + " " + made.isExactlyOnceMode();
            case "unsupported": return question + " = " + orRefused(() -> shown(made.withUnalignedUnsupported()));
            case "supported": return question + " = " + orRefused(() -> shown(made.withUnalignedSupported()));
            case "to-unaligned": return question + " = " + orRefused(() -> shown(made.toUnaligned()));
            default: throw new IllegalArgumentException(line);
        }
    }

    static long timeout(String text) {
        return text.equals("none") ? CheckpointOptions.NO_ALIGNED_CHECKPOINT_TIME_OUT : Long.parseLong(text);
    }

    static String shown(CheckpointOptions options) {
        long timeout = options.getAlignedCheckpointTimeout();
        boolean none = timeout == CheckpointOptions.NO_ALIGNED_CHECKPOINT_TIME_OUT;
        return options.getAlignment() + " " + (none ? "none" : timeout);
    }

    static final Map<String, Function<CheckpointConfig, Object>> GETTERS = Map.ofEntries(
            Map.entry("interval", CheckpointConfig::getCheckpointInterval),
            Map.entry("enabled", CheckpointConfig::isCheckpointingEnabled),
            Map.entry("interval-during-backlog", CheckpointConfig::getCheckpointIntervalDuringBacklog),
            Map.entry("mode", CheckpointConfig::getCheckpointingConsistencyMode),
            Map.entry("timeout", CheckpointConfig::getCheckpointTimeout),
            Map.entry("min-pause", CheckpointConfig::getMinPauseBetweenCheckpoints),
            Map.entry("max-concurrent-checkpoints", CheckpointConfig::getMaxConcurrentCheckpoints),
            Map.entry("tolerable-failed-checkpoints", CheckpointConfig::getTolerableCheckpointFailureNumber),
            Map.entry("unaligned", CheckpointConfig::isUnalignedCheckpointsEnabled),
            Map.entry("unaligned.forced", CheckpointConfig::isForceUnalignedCheckpoints),
            Map.entry("interruptible-timers", CheckpointConfig::isUnalignedCheckpointsInterruptibleTimersEnabled),
            Map.entry("retention", CheckpointConfig::getExternalizedCheckpointRetention),
            Map.entry("externalized", CheckpointConfig::isExternalizedCheckpointsEnabled),
            Map.entry("aligned-timeout-ms", config -> config.getAlignedCheckpointTimeout().toMillis()),
            Map.entry("max-subtasks-per-channel-state-file", CheckpointConfig::getMaxSubtasksPerChannelStateFile),
            Map.entry("without-channel-state", CheckpointConfig::getCheckpointIdOfIgnoredInFlightData));

    static String checkpointConfig(String line) {
        String[] of = line.split("\\|", 3);
        return of[0] + "|" + of[1] + "|" + orRefused(() -> {
            Configuration configuration = new Configuration();
            for (String pair : of[0].isEmpty() ? new String[0] : of[0].split(";")) {
                configuration.setString(pair.split("=", 2)[0], pair.split("=", 2)[1]);
            }
            CheckpointConfig config = new CheckpointConfig();
            config.configure(configuration);
            return GETTERS.get(of[1]).apply(config);
        });
    }

    static final Map<String, ConfigOption<?>> VALUES = Map.of(
            "boolean", ConfigOptions.key("k").booleanType().noDefaultValue(),
            "integer", ConfigOptions.key("k").intType().noDefaultValue(),
            "long", ConfigOptions.key("k").longType().noDefaultValue(),
            "float", ConfigOptions.key("k").floatType().noDefaultValue(),
            "mode", CheckpointingOptions.CHECKPOINTING_CONSISTENCY_MODE,
            "retention", CheckpointingOptions.EXTERNALIZED_CHECKPOINT_RETENTION,
            "claim-mode", StateRecoveryOptions.RESTORE_MODE);

    static String values(String line) {
        String kind = line.substring(0, line.indexOf('|')), text = cut(line, "|").substring(kind.length() + 1);
        ConfigOption<?> option = VALUES.get(kind);
        return kind + "|" + text + "|" + orRefused(() -> {
            Configuration configuration = new Configuration();
            configuration.setString(option.key(), text);
            Object value = configuration.get(option);
            return value instanceof Enum ? ((Enum<?>) value).name() : value;
        });
    }

    /** Every option that Flink's jar declares and whose key begins like one of checkpointing. */
    static List<String> options() throws Exception {
        Pattern ours = Pattern.compile("(execution\\.(checkpointing|state-recovery)|state|web\\.checkpoints)\\..*");
        TreeMap<String, String> rows = new TreeMap<>();
        String jar = new File(ConfigOption.class.getProtectionDomain().getCodeSource().getLocation().toURI()).getPath();
        for (var entry : Collections.list(new JarFile(jar).entries())) {
            String name = entry.getName();
            if (!name.matches("org/apache/flink/.*(Options|OptionsInternal|ReaderConfig)\\.class")) continue;
            Field[] fields;
            try {
                fields = Class.forName(name.substring(0, name.length() - 6).replace('/', '.')).getDeclaredFields();
            } catch (Throwable withoutItsDependencies) {
                continue;
            }
            for (Field field : fields) {
                if (field.getType() != ConfigOption.class || !Modifier.isStatic(field.getModifiers())) continue;
                field.setAccessible(true);
                ConfigOption<?> option = (ConfigOption<?>) field.get(null);
                if (option != null && ours.matcher(option.key()).matches()) rows.put(option.key(), row(option));
            }
        }
        return new ArrayList<>(rows.values());
    }

    static String row(ConfigOption<?> option) throws Exception {
        List<String> old = new ArrayList<>();
        for (FallbackKey key : option.fallbackKeys()) {
            old.add((key.isDeprecated() ? "deprecated:" : "fallback:") + key.getKey());
        }
        Object value = option.defaultValue();
        String shown = value == null ? "none"
                : value instanceof Duration ? ((Duration) value).toMillis() + " ms"
                : value instanceof MemorySize ? ((MemorySize) value).getBytes() + " bytes"
                : value.toString().replace("\n", " ");
        String kind = ((Class<?>) hidden(option, "getClazz")).getSimpleName();
        String list = (boolean) hidden(option, "isList") ? "List of " : "";
        return option.key() + "|" + list + kind + "|" + shown + "|" + String.join(",", old);
    }

    static Object hidden(ConfigOption<?> option, String name) throws Exception {
        Method method = ConfigOption.class.getDeclaredMethod(name);
        method.setAccessible(true);
        return method.invoke(option);
    }

    /** The setters of Flink, then those of PyFlink, whose sources lie where the variable PYFLINK says. */
    static List<String> setters() throws Exception {
        List<String> setters = new ArrayList<>();
        for (Class<?> owner : List.of(CheckpointConfig.class, StreamExecutionEnvironment.class)) {
            TreeSet<String> names = new TreeSet<>();
            for (Method method : owner.getDeclaredMethods()) {
                boolean all = owner == CheckpointConfig.class;
                if (Modifier.isPublic(method.getModifiers()) && isSetter(method.getName(), all)) names.add(method.getName());
            }
            names.forEach(name -> setters.add(owner.getSimpleName() + "." + name));
        }
        for (String owner : List.of("CheckpointConfig", "StreamExecutionEnvironment")) {
            String file = owner.replaceAll("(?<=.)([A-Z])", "_$1").toLowerCase() + ".py";
            TreeSet<String> names = new TreeSet<>();
            Matcher found = Pattern.compile("(?m)^    def (\\w+)")
                    .matcher(Files.readString(Path.of(System.getenv("PYFLINK"), "datastream", file)));
            while (found.find()) {
                if (isSetter(found.group(1), owner.equals("CheckpointConfig"))) names.add(found.group(1));
            }
            names.forEach(name -> setters.add(owner + "." + name));
        }
        return setters;
    }

    static boolean isSetter(String name, boolean all) {
        return name.matches("(set|enable|disable)_?[A-Za-z].*") && (all || name.matches("(?i).*(checkpointing|savepoint).*"));
    }
}
