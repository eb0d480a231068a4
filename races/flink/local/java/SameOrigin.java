package lab.f1;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.io.network.netty.InboundChannelHandlerFactory;
import org.apache.flink.shaded.netty4.io.netty.buffer.Unpooled;
import org.apache.flink.shaded.netty4.io.netty.channel.ChannelFutureListener;
import org.apache.flink.shaded.netty4.io.netty.channel.ChannelHandler;
import org.apache.flink.shaded.netty4.io.netty.channel.ChannelHandlerContext;
import org.apache.flink.shaded.netty4.io.netty.channel.ChannelInboundHandlerAdapter;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.DefaultFullHttpResponse;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.FullHttpResponse;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.HttpHeaderNames;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.HttpRequest;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.HttpResponseStatus;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.HttpVersion;
import org.apache.flink.shaded.netty4.io.netty.util.ReferenceCountUtil;

/**
 * Refuses, at the dashboard and at the SQL gateway, what a foreign web page in this machine's browser sends: a request
 * whose Host is no loopback name (DNS rebinding), or whose Origin is another address than the one it is sent to.
 * Programs and the dashboard's own pages pass.
 *
 * <p>Flink finds this class as a service and puts it in front of its own handlers.
 */
public final class SameOrigin implements InboundChannelHandlerFactory {
    private static final Set<String> HERE = Set.of("127.0.0.1", "localhost", "[::1]");

    @Override
    public int priority() {
        return 100;
    }

    @Override
    public Optional<ChannelHandler> createHandler(Configuration configuration, Map<String, String> headers) {
        return Optional.of(new Guard());
    }

    /** Whether a request with these headers (null where there is none) comes from this machine's own programs. */
    static boolean allows(String host, String origin) {
        String address = host == null ? null : hostOf("http://" + host);
        if (address == null || !HERE.contains(address)) {
            return false;
        }
        return origin == null || origin.equals("http://" + host);
    }

    private static String hostOf(String address) {
        try {
            return URI.create(address).getHost();
        } catch (IllegalArgumentException malformed) {
            return null;
        }
    }

    private static final class Guard extends ChannelInboundHandlerAdapter {
        private boolean refusing;

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            if (message instanceof HttpRequest request) {
                refusing =
                        !allows(
                                request.headers().get(HttpHeaderNames.HOST),
                                request.headers().get(HttpHeaderNames.ORIGIN));
                if (refusing) {
                    refuse(context);
                }
            }
            if (refusing) {
                ReferenceCountUtil.release(message); // the rest of its body too
            } else {
                context.fireChannelRead(message);
            }
        }

        private static void refuse(ChannelHandlerContext context) {
            byte[] words = "{\"errors\":[\"Only this machine's own programs may ask.\"]}".getBytes(StandardCharsets.UTF_8);
            FullHttpResponse answer =
                    new DefaultFullHttpResponse(
                            HttpVersion.HTTP_1_1, HttpResponseStatus.FORBIDDEN, Unpooled.wrappedBuffer(words));
            answer.headers().set(HttpHeaderNames.CONTENT_TYPE, "application/json");
            answer.headers().setInt(HttpHeaderNames.CONTENT_LENGTH, words.length);
            context.writeAndFlush(answer).addListener(ChannelFutureListener.CLOSE);
        }
    }
}
