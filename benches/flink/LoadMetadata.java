import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.flink.runtime.checkpoint.Checkpoints;
import org.apache.flink.runtime.checkpoint.OperatorState;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.checkpoint.metadata.CheckpointMetadata;

/**
 * Has Flink's own loader read a file of metadata from memory, once for each line of its standard input, and answers each
 * with a line: how many handles of keyed and operator state there are, and the nanoseconds that the load took by the
 * clock on the wall, of its thread's processor time, and of the processor time of all threads, the collector's too.
 */
public final class LoadMetadata {
    public static void main(String[] arguments) throws Exception {
        byte[] bytes = Files.readAllBytes(Path.of(arguments[0]));
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        var process = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        BufferedReader orders = new BufferedReader(new InputStreamReader(System.in));
        while (orders.readLine() != null) {
            long all = process.getProcessCpuTime();
            long wall = System.nanoTime();
            long thread = threads.getCurrentThreadCpuTime();
            CheckpointMetadata metadata =
                    Checkpoints.loadCheckpointMetadata(
                            new DataInputStream(new ByteArrayInputStream(bytes)),
                            LoadMetadata.class.getClassLoader(),
                            arguments[0]);
            thread = threads.getCurrentThreadCpuTime() - thread;
            wall = System.nanoTime() - wall;
            all = process.getProcessCpuTime() - all;
            System.out.println(handles(metadata) + " " + wall + " " + thread + " " + all);
        }
    }

    private static long handles(CheckpointMetadata metadata) {
        long handles = 0;
        for (OperatorState operator : metadata.getOperatorStates()) {
            for (OperatorSubtaskState subtask : operator.getStates()) {
                handles += subtask.getManagedKeyedState().size() + subtask.getManagedOperatorState().size();
            }
        }
        return handles;
    }
}
